import {
  anyPlace,
  type Backend,
  candidatesOf,
  describeRejections,
  eligible,
  hasName,
  isPassedOver,
  moveOf,
  reference,
  requestOf,
  unusable,
  type VolumeDemand,
} from "../../src/backend/index.ts";
import { isStorageError, StorageError, type VolumeRecord } from "../../src/contract/index.ts";
import { type Candidate, charge, place } from "../../src/scheduler/index.ts";
import { objectName } from "../common/names.ts";
import { gibToBytes, sizeInGib } from "../common/sizes.ts";
import {
  choice,
  defineDataSource,
  integer,
  objectMap,
  type State,
  string,
  stringList,
  stringMap,
  timeouts,
} from "../schema/index.ts";

const volumeAttributes = {
  name: string("optional", {
    description: "The volume's `name`, by which one that is there is found. Default: the key.",
    validators: [objectName],
  }),
  size: integer("required", { description: "Size in GiB.", validators: [sizeInGib], example: 10 }),
  provisioning: choice(["thin", "thick"], "optional", {
    description: "As the volume's own. Default: what each backend makes first.",
  }),
  requirements: stringMap("optional", { description: "Extra specs, as the volume's own." }),
  availability_zone: string("optional", {
    description: "The `availability_zone` that the backend must be in.",
  }),
} as const;

const attributes = {
  volumes: objectMap(volumeAttributes, "required", {
    description:
      "The volumes to place, by their names, or by any keys where each has a `name`. One that is there already, of this owner, keeps its backend.",
    example: { db: { size: 10 } },
  }),
  policy: choice(["affinity", "anti-affinity"], "optional", {
    description:
      "`affinity`: all of them on one backend; `anti-affinity`: no two of them on the same. Default: each where it fits best.",
  }),
  excluded_backends: stringList("optional", {
    description:
      "Backends that nothing new is placed on. One among them that cannot be used counts as holding none of these volumes; any other that cannot be used stops the read while a volume is found nowhere else, as it may be there.",
    example: ["old"],
  }),
  timeouts: timeouts("read"),
  backends: stringMap("computed", {
    description:
      "What to write as `backend` of each volume, by its key in `volumes`: `fast`, or `fast#pool0` where the backend has several pools.",
  }),
} as const;

type Placement = State<typeof attributes>;

/** A backend as it was found: what volumes it has room for, and which of this owner's it has. */
interface Found {
  readonly backend: Backend;
  readonly candidates: readonly Candidate[];
  /** What of this owner's may be asked for, by name. */
  readonly own: ReadonlyMap<string, VolumeRecord>;
  /** Why it could not be asked what it has. */
  readonly failure?: StorageError;
}

/** `breezeblock_placement`: where a set of volumes goes, decided as a whole. */
export const placementData = defineDataSource<typeof attributes>({
  name: "placement",
  description:
    "Decides for a set of volumes where each goes, every one counting for the others: the largest first, where names decide what sizes do not. The plan keeps the answer, so that apply makes what the plan shows. Other volumes that the same plan makes are not counted.",
  attributes,
  readTimeout: 5 * 60_000,
  async read(context, config) {
    requireDistinctNames(config.volumes);
    for (const name of config.excluded_backends ?? []) context.fleet.backend(name, ["excluded_backends"]);
    const found = await Promise.all(context.fleet.backends.map(look));
    return { ...config, backends: decide(config, found) };
  },
});

async function look(backend: Backend): Promise<Found> {
  try {
    const [listing, stats] = await Promise.all([backend.listing(), backend.stats()]);
    const own = [...listing.volumes.values()].filter(
      (record) => hasName(backend, record, record.name) && record.phase !== "retained",
    );
    return {
      backend,
      candidates: candidatesOf(backend, stats),
      own: new Map(own.map((record) => [record.name, record])),
    };
  } catch (error) {
    if (!isStorageError(error) || !isPassedOver(backend, error)) throw error;
    return { backend, candidates: [unusable(backend, error.reason)], own: new Map(), failure: error };
  }
}

interface Wanted {
  readonly key: string;
  readonly name: string;
  readonly demand: VolumeDemand;
}

/** What is decided so far: candidates as what is placed leaves them, and where each volume goes, by key. */
interface Decision {
  readonly candidates: ReadonlyMap<string, Candidate>;
  readonly places: ReadonlyMap<string, Candidate>;
}

function decide(
  {
    volumes,
    policy,
    excluded_backends: excluded,
  }: Pick<Placement, "volumes" | "policy" | "excluded_backends">,
  found: readonly Found[],
): Readonly<Record<string, string>> {
  const all = Object.entries(volumes)
    .map(([key, volume]): Wanted => {
      const name = nameOf(key, volume);
      return { key, name, demand: demandOf(name, volume) };
    })
    .sort((a, b) => b.demand.sizeBytes - a.demand.sizeBytes || (a.name < b.name ? -1 : 1));
  const there = all.flatMap(({ key, name }): [string, Candidate][] => {
    const candidate = placeOf(name, found);
    return candidate === undefined ? [] : [[key, candidate]];
  });
  const candidates = found.flatMap((one) => one.candidates);
  const start: Decision = {
    candidates: new Map(candidates.map((candidate) => [reference(candidate), candidate])),
    places: new Map(there),
  };
  const open = all.filter(({ key }) => !start.places.has(key));
  const isExcluded = ({ backend }: Found) => excluded?.some((name) => backend.answersTo(name)) === true;
  const [first] = open;
  const unasked = found.find((one) => one.failure !== undefined && !isExcluded(one));
  if (first !== undefined && unasked !== undefined) throw mayBeThere(first, unasked);
  const among = found.filter((one) => !isExcluded(one));
  const { places } =
    policy === "affinity" ? decideTogether(open, start, among) : decideEach(open, start, among, policy);
  return Object.fromEntries(
    all.flatMap(({ key }): [string, string][] => {
      const candidate = places.get(key);
      return candidate === undefined ? [] : [[key, written(candidate, found)]];
    }),
  );
}

/** All on the backend of those that are there; else on the first that takes all, in the order of the largest's choice. */
function decideTogether(open: readonly Wanted[], start: Decision, found: readonly Found[]): Decision {
  const [largest] = open;
  if (largest === undefined) return start;
  const there = backendsOf(start);
  const options =
    there.length > 0
      ? [there]
      : [...new Set(rank(largest.demand, start, found).map(({ backend }) => backend))].map((name) => [name]);
  let refusal: unknown;
  for (const sameBackend of options) {
    try {
      const bound = open.map((wanted) => ({ ...wanted, demand: { ...wanted.demand, sameBackend } }));
      return decideEach(bound, start, found, null);
    } catch (error) {
      if (!isStorageError(error, "NoValidBackend")) throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}

function decideEach(
  open: readonly Wanted[],
  start: Decision,
  found: readonly Found[],
  policy: Placement["policy"],
): Decision {
  return open.reduce((decision, { key, demand }) => {
    const asked = policy === "anti-affinity" ? { ...demand, differentBackend: backendsOf(decision) } : demand;
    const [best] = rank(asked, decision, found);
    if (best === undefined) throw new Error("an empty ranking is an error of its own");
    const at = reference(best);
    return {
      candidates: new Map(decision.candidates).set(at, charge(best, requestOf(asked))),
      places: new Map(decision.places).set(key, best),
    };
  }, start);
}

/** The candidates that fit, the best first. @throws StorageError `NoValidBackend` where there is none */
function rank(demand: VolumeDemand, { candidates }: Decision, found: readonly Found[]): readonly Candidate[] {
  const among = found.flatMap(({ backend, candidates: own }) =>
    eligible(own, demand, { backend, pool: null }).flatMap(
      (candidate) => candidates.get(reference(candidate)) ?? [],
    ),
  );
  const { ranked, rejected } = place(requestOf(demand), among);
  if (ranked.length > 0) return ranked.map(({ candidate }) => candidate);
  throw new StorageError({
    kind: "NoValidBackend",
    action: demand.action,
    reason:
      found.length === 0
        ? "There are no backends for it to go to"
        : `Together with the others of its set, it fits on none of the backends:${describeRejections(rejected)}`,
    attribute: ["volumes"],
  });
}

function demandOf(name: string, volume: Placement["volumes"][string]): VolumeDemand {
  return {
    ...anyPlace,
    action: `place volume "${name}" of ${volume.size} GiB`,
    sizeBytes: gibToBytes(volume.size),
    provisioning: volume.provisioning,
    multiattach: false,
    requirements: volume.requirements ?? {},
    availabilityZone: volume.availability_zone,
  };
}

function nameOf(key: string, { name }: Placement["volumes"][string]): string {
  return name ?? key;
}

/** @throws StorageError `InvalidInput` where two entries are one volume */
function requireDistinctNames(volumes: Placement["volumes"]): void {
  const names = Object.entries(volumes).map(([key, volume]) => nameOf(key, volume));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new StorageError({
    kind: "InvalidInput",
    action: `place volume "${twice}" twice`,
    reason: "Two entries have that name",
    attribute: ["volumes"],
  });
}

/** A volume that is placed elsewhere while it is there would be moved or replaced. */
function mayBeThere({ name }: Wanted, { backend, failure }: Found): StorageError {
  return new StorageError({
    kind: failure?.kind ?? "BackendUnreachable",
    action: `place volume "${name}"`,
    reason: `It may be on a backend that cannot be asked: ${failure?.reason ?? ""}`,
    nextStep: `Make that backend usable, or list it in excluded_backends where it has none of these volumes`,
    backend: backend.name,
    host: backend.host.host,
    attribute: ["volumes"],
  });
}

/** Where a volume of that name is already. @throws StorageError `AlreadyExists` where there is more than one */
function placeOf(name: string, found: readonly Found[]): Candidate | undefined {
  const all = found.flatMap((one) => {
    const record = one.own.get(name);
    return record === undefined ? [] : [{ ...one, record }];
  });
  const [first, ...others] = all;
  if (first === undefined) return undefined;
  const namesake = others.find(({ record }) => record.id !== first.record.id);
  if (namesake !== undefined) {
    throw new StorageError({
      kind: "AlreadyExists",
      action: `place volume "${name}"`,
      reason: `Volumes of that name are on the backends "${first.backend.name}" and "${namesake.backend.name}", and which is meant cannot be told`,
      nextStep: "Leave it out of the set and write its backend, or rename one of the two",
      attribute: ["volumes"],
    });
  }
  // Of a volume that is being moved the one that it is moved from counts.
  const { candidates, record } = all.find((one) => moveOf(one.record)?.direction !== "from") ?? first;
  return candidates.find((candidate) => candidate.pool === null || candidate.pool === record.pool);
}

function backendsOf({ places }: Decision): readonly string[] {
  return [...new Set([...places.values()].map(({ backend }) => backend))];
}

function written(candidate: Candidate, found: readonly Found[]): string {
  const own = found.find(({ backend }) => backend.name === candidate.backend)?.candidates ?? [];
  return own.length > 1 ? reference(candidate) : candidate.backend;
}
