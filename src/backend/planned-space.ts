import { isStorageError, StorageError, type VolumeRecord } from "../contract/index.ts";
import { type Candidate, charge, type PlacementRequest, place, type Rejection } from "../scheduler/index.ts";
import type { Backend } from "./backend.ts";
import {
  candidatesOf,
  describeRejections,
  eligible,
  gib,
  noRoom,
  type Pin,
  reference,
  requestOf,
  unusable,
  type VolumeDemand,
} from "./candidates.ts";
import { type Growing, growthIn } from "./held-space.ts";

/** A creation that a plan has. */
export interface PlannedCreation {
  /** The same for the same creation planned again. */
  readonly key: string;
  /** Several creations may have the same key: they ask for the same, and can stand in for one another. */
  readonly isShared: boolean;
  readonly demand: VolumeDemand;
  /** Where it may go: one backend that is named, or all that there are. */
  readonly pins: readonly Pin[];
  /** How much of it is there already, on the one backend where that is: a killed create goes on there. */
  readonly existingBytes?: number | undefined;
  /** Volumes whose place it takes: their space is its own. */
  readonly replaced?: readonly Placed[];
  /** Backends that are out of the question whatever is measured. */
  readonly excluded?: readonly Rejection[];
}

/** What the move of that volume is called among a plan's creations. */
export function moveKey(uuid: string): string {
  return `move ${uuid}`;
}

/** A volume where it is. */
export interface Placed {
  readonly backend: Backend;
  readonly record: Growing & Pick<VolumeRecord, "id">;
}

/** What was found for a creation when it was planned. */
export interface PlannedPlace {
  readonly backend: string;
  /** Tells where it has come to in the end. */
  moveTo(backend: string): void;
}

interface Entry {
  readonly key: string;
  readonly request: PlacementRequest;
  /** The references of the candidates among which it may go. */
  readonly among: ReadonlySet<string>;
  /** Of a volume that is there: it stays where it is, whatever its backend is asked. */
  readonly isGrowth: boolean;
  /** The reference of the candidate that was found for it. */
  at: string;
  taken: boolean;
}

/**
 * The space of all backends as a run's plans leave it: measured once a run, then charged with everything that the run
 * creates or grows, so that what is promised is never more than there is, in whatever order the engine asks. Decides
 * nothing for good: that is done under a backend's lock, with what is measured then.
 */
export class PlannedSpace {
  readonly #measured = new Map<Backend, Promise<readonly Candidate[]>>();
  /** By reference. */
  readonly #base = new Map<string, Candidate>();
  #current = new Map<string, Candidate>();
  #entries: Entry[] = [];
  /** What was given back since the measurement, by the id of what is gone. */
  readonly #released = new Map<string, { readonly at: string; readonly request: PlacementRequest }>();

  /**
   * Charges a creation, and returns the backend that it would fit on as things stand.
   *
   * @throws StorageError `NoValidBackend`, with what stands against each candidate
   */
  async create(creation: PlannedCreation): Promise<Candidate> {
    const measured = await this.#measure(creation.pins.map(({ backend }) => backend));
    // From here on nothing waits: plans that run side by side are charged one after the other.
    const { key, demand, existingBytes } = creation;
    if (!creation.isShared) this.#drop(key);
    for (const placed of creation.replaced ?? []) this.release(placed);
    const among = new Set(
      creation.pins.flatMap((pin) =>
        eligible(measured.get(pin.backend) ?? [], demand, pin).map((candidate) => reference(candidate)),
      ),
    );
    const entry: Entry = {
      key,
      request: requestOf(demand, existingBytes),
      among,
      isGrowth: false,
      at: "",
      taken: false,
    };
    const rejected = this.#add(entry);
    if (rejected === null) return this.#at(entry.at);
    if (this.#repack(entry)) return this.#at(entry.at);
    throw refusal(creation, rejected, this.#remark());
  }

  /** Charges the growth of a volume that is there. @throws StorageError `NoValidBackend` */
  async grow(pin: Pin, record: Placed["record"], sizeBytes: number): Promise<void> {
    const measured = await this.#measure([pin.backend]);
    const key = `grow ${record.id}`;
    this.#drop(key);
    const own = (measured.get(pin.backend) ?? []).map((candidate) => this.#at(reference(candidate)));
    const { candidate, request } = growthIn(own, pin, record, sizeBytes, this.#remark());
    const at = reference(candidate);
    this.#charge({ key, request, among: new Set([at]), isGrowth: true, at, taken: false });
  }

  /**
   * Tells of a volume that goes, or is replaced by what is planned next. Only counts where the backend was measured with
   * the volume still there.
   */
  release({ backend, record }: Placed): void {
    if (!this.#measured.has(backend) || this.#released.has(record.id)) return;
    const pool = [...this.#base.values()].find(
      (candidate) =>
        candidate.backend === backend.name && (candidate.pool === null || candidate.pool === record.pool),
    );
    if (pool === undefined) return;
    this.#released.set(record.id, {
      at: reference(pool),
      request: {
        size_gb: gib(record.sizeBytes),
        extra_specs: { "provisioning:type": record.provisioning },
      },
    });
    this.#recount();
  }

  /** Where the run's plans move that volume; `undefined` where they do not. */
  targetOfMove(uuid: string): string | undefined {
    const entry = this.#entries.find(({ key }) => key === moveKey(uuid));
    return entry === undefined ? undefined : this.#at(entry.at).backend;
  }

  /** All candidates of these backends as the run's plans leave them. */
  async candidates(backends: readonly Backend[]): Promise<readonly Candidate[]> {
    const measured = await this.#measure(backends);
    return [...measured.values()].flat().map((candidate) => this.#at(reference(candidate)));
  }

  /** What was found for a creation when it was planned; each answer is given once. */
  take(key: string): PlannedPlace | undefined {
    const entry = this.#entries.find((candidate) => candidate.key === key && !candidate.taken);
    if (entry === undefined) return undefined;
    entry.taken = true;
    return {
      backend: this.#at(entry.at).backend,
      moveTo: (backend) => {
        const there = [...entry.among].find((at) => this.#at(at).backend === backend);
        if (there === undefined || this.#at(entry.at).backend === backend) return;
        entry.at = there;
        this.#recount();
      },
    };
  }

  async #measure(backends: readonly Backend[]): Promise<ReadonlyMap<Backend, readonly Candidate[]>> {
    const measured = await Promise.all(
      backends.map(async (backend): Promise<[Backend, readonly Candidate[]]> => {
        const known = this.#measured.get(backend) ?? measure(backend);
        this.#measured.set(backend, known);
        const candidates = await known;
        for (const candidate of candidates) {
          const at = reference(candidate);
          if (this.#base.has(at)) continue;
          this.#base.set(at, candidate);
          this.#current.set(at, candidate);
        }
        return [backend, candidates];
      }),
    );
    return new Map(measured);
  }

  #at(at: string): Candidate {
    const candidate = this.#current.get(at);
    if (candidate === undefined) throw new Error(`nothing was measured of ${at}`);
    return candidate;
  }

  /** Null when it was charged. */
  #add(entry: Entry): readonly Rejection[] | null {
    const { ranked, rejected } = place(
      entry.request,
      [...entry.among].map((at) => this.#at(at)),
    );
    const [best] = ranked;
    if (best === undefined) return rejected;
    entry.at = reference(best.candidate);
    this.#charge(entry);
    return null;
  }

  #charge(entry: Entry): void {
    this.#entries.push(entry);
    this.#current.set(entry.at, charge(this.#at(entry.at), entry.request));
  }

  #drop(key: string): void {
    if (!this.#entries.some((entry) => entry.key === key)) return;
    this.#entries = this.#entries.filter((entry) => entry.key !== key);
    this.#recount();
  }

  #recount(): void {
    this.#current = this.#withReleases();
    const entries = this.#entries;
    this.#entries = [];
    for (const entry of entries) this.#charge(entry);
  }

  #withReleases(): Map<string, Candidate> {
    const current = new Map(this.#base);
    for (const { at, request } of this.#released.values()) {
      const candidate = current.get(at);
      if (candidate !== undefined) current.set(at, discharge(candidate, request));
    }
    return current;
  }

  /**
   * Finds places for everything anew, what has the fewest to go to and is largest first: in which order the engine asked
   * is chance, and no reason to refuse. Leaves all as it was where that does not help.
   */
  #repack(added: Entry): boolean {
    const before = {
      entries: this.#entries,
      current: this.#current,
      places: this.#entries.map(({ at }) => at),
    };
    const all = [...before.entries, added].sort(
      (a, b) => a.among.size - b.among.size || b.request.size_gb - a.request.size_gb,
    );
    this.#current = this.#withReleases();
    this.#entries = [];
    for (const entry of all.filter(({ isGrowth }) => isGrowth)) this.#charge(entry);
    if (all.every((entry) => entry.isGrowth || this.#add(entry) === null)) return true;
    this.#entries = before.entries;
    this.#current = before.current;
    for (const [index, entry] of this.#entries.entries()) entry.at = before.places[index] ?? entry.at;
    return false;
  }

  #remark(): string {
    const others = this.#entries.length;
    if (others === 0) return "";
    const added = this.#entries.reduce(
      (sum, { request }) => sum + Math.max(0, request.size_gb - (request.existing_gb ?? 0)),
      0,
    );
    return `\nThis counts what else the same run creates or grows so far (${others === 1 ? "one volume" : `${others} volumes`}, ${Math.ceil(added)} GiB)`;
  }
}

/** A backend as it is measured; one that cannot be used, but need not stop the others, with the reason. */
async function measure(backend: Backend): Promise<readonly Candidate[]> {
  try {
    await backend.checkIdentity("creation");
    return candidatesOf(backend, await backend.stats());
  } catch (error) {
    if (!isStorageError(error) || !isPassedOver(backend, error)) throw error;
    return [unusable(backend, error.reason)];
  }
}

/** Whether a backend that fails so is left out where there may be others. */
export function isPassedOver(backend: Backend, error: unknown): boolean {
  return (
    isStorageError(error, "BackendUninitialized", "BackendIdentityMismatch") ||
    (isStorageError(error, "BackendUnreachable") && backend.settings.unreachable === "warn")
  );
}

function discharge(candidate: Candidate, request: PlacementRequest): Candidate {
  const charged = charge(candidate, request);
  const undo = (before: unknown, after: unknown) =>
    typeof before === "number" && typeof after === "number" ? before - (after - before) : before;
  const { stats } = candidate;
  return {
    ...candidate,
    stats: {
      ...stats,
      ...Object.fromEntries(
        (["provisioned_capacity_gb", "free_capacity_gb", "total_volumes"] as const)
          .filter((name) => stats[name] !== undefined)
          .map((name) => [name, undo(stats[name], charged.stats[name])]),
      ),
    },
  };
}

function refusal(
  { demand, pins, excluded = [] }: PlannedCreation,
  rejected: readonly Rejection[],
  remark: string,
): StorageError {
  const [pin, ...others] = pins;
  if (pin !== undefined && others.length + excluded.length === 0) {
    return noRoom(pin, demand.action, rejected, remark).with({ attribute: ["backend"] });
  }
  return new StorageError({
    kind: "NoValidBackend",
    action: demand.action,
    reason:
      pin === undefined && excluded.length === 0
        ? "The provider configuration has no backends"
        : `It fits on none of the backends:${describeRejections([...rejected, ...excluded])}${remark}`,
    nextStep: "Make the volume smaller, ask for less, or add a backend or room to one",
    attribute: ["size"],
  });
}
