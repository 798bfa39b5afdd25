import {
  type Backend,
  createGroupSnapshot,
  deleteGroupSnapshot,
  findGroupSnapshot,
  formatObjectId,
  type GroupSnapshot,
  groupSnapshotsIn,
  isProtected,
  isUsable,
  memberName,
  parseObjectId,
  requireOwn,
  updateGroupSnapshot,
  withoutRun,
} from "../src/backend/index.ts";
import { type JsonValue, StorageError, type VolumeRecord } from "../src/contract/index.ts";
import { labelsAllOf, labelsOf, labelsSetting, plannedWithDefaults } from "./common/labels.ts";
import { objectName } from "./common/names.ts";
import {
  acknowledgeReplaced,
  identityOf,
  isSameObject,
  keepingPartialState,
  locate,
  locateVolume,
  objectIdentity,
  parseImport,
  readTolerantly,
  toleratesAbsence,
  volumeIdOfSnapshot,
  withoutDefaults,
} from "./common/objects.ts";
import { claimForCreation, claimForHeld } from "./common/planned-names.ts";
import {
  boolean,
  type Config,
  type Diagnostic,
  defineResource,
  errorAt,
  type HookContext,
  isUnknown,
  type Planned,
  type PrivateData,
  type State,
  settled,
  string,
  stringList,
  stringMap,
  timeouts,
  UNKNOWN,
  type Unknowable,
} from "./schema/index.ts";

const attributes = {
  id: string("computed", { description: "`<backend>/<uuid>` of the group; never changes." }),
  name: string("required", {
    description:
      "The group's name: unique for owner and backend, changed in place. Its snapshots are called `<name>-1`, `<name>-2` and so on, in the order of `volume_ids`.",
    validators: [objectName],
    example: "before-upgrade",
  }),
  volume_ids: stringList("required", {
    description:
      "The volumes, all on one backend, each once. A change takes a new group snapshot in place of this one.",
    replaces: true,
    example: ["fast/6f3c1f0e-7a55-4c0b-9f4e-2f7a0c1d9b11", "fast/0b6e5c0a-2f0d-4b8e-8d3c-5a1f7e9d4c22"],
  }),
  deletion_protection: boolean("optional_computed", {
    description:
      "Refuses to delete the snapshots: at plan, and always on the host. Default: the provider's `deletion_protection`.",
  }),
  labels: stringMap("optional", {
    description:
      "Any strings; kept on the host with each of the snapshots, over the provider's `default_labels`.",
  }),
  timeouts: timeouts("create", "read", "update", "delete"),
  labels_all: stringMap("computed", {
    description: "`labels` and the provider's `default_labels` together, as kept on the host.",
  }),
  snapshot_ids: stringMap("computed", {
    description:
      "The id of each volume's snapshot, by the volume's id. Each can be the `source.snapshot_id` of a new volume.",
  }),
  backend_identity: string("computed", {
    description:
      "What the storage behind the backend calls itself; it must stay the same for the group to count as gone.",
  }),
  created_at: string("computed", { description: "When the snapshots were taken, RFC 3339 in UTC." }),
} as const;

type GroupAttributes = typeof attributes;
type GroupState = State<GroupAttributes>;

/** What only the configuration decides: known at apply, and kept as written. */
const writtenNames = ["name", "volume_ids", "labels", "timeouts"] as const;
type Written = Pick<GroupState, (typeof writtenNames)[number]>;

/** What state says of a group that was never finished. It is not protected: it could not be removed otherwise. */
const unfinished = { deletion_protection: false, snapshot_ids: {} } as const;

const minute = 60_000;

/** `breezeblock_group_snapshot`: the content of several volumes at one point in time. */
export const groupSnapshot = defineResource<GroupAttributes>({
  name: "group_snapshot",
  description:
    "Snapshots of several volumes of one backend at one point in time: together they hold what the volumes held at one moment, as after a power cut. None of the volumes may have an attachment in mode `rw` while they are taken: let the attachments depend on the group snapshot (`depends_on`, `dependsOn`).",
  version: 0,
  attributes,
  identity: objectIdentity,
  timeouts: { create: 60 * minute, read: 5 * minute, update: 20 * minute, delete: 20 * minute },

  validate,

  async plan(context, { config, prior, planned, replace: changed, private: privateData }) {
    const replace = sameVolumes(context, prior, planned.volume_ids) ? [] : [...changed];
    const isUseless = context !== null && prior !== null && (await holdsNothing(context, prior));
    if (isUseless) replace.push(["id"]);
    if (prior !== null && replace.length > 0) refuseProtected(prior);
    if (context !== null) await checkNames(context, prior, planned, replace.length > 0, privateData);
    return {
      planned: {
        ...planned,
        ...(isUseless ? { id: UNKNOWN } : {}),
        ...plannedWithDefaults(context, config, planned),
      },
      replace,
      private: prior === null ? privateData : { replaces: parseObjectId(prior.id, "id").uuid },
    };
  },

  async planDelete(context, prior) {
    if (context !== null) {
      const { backend } = locate(context, prior.id, "id");
      for (const name of memberNames(prior)) await claimForHeld(context, backend, "snapshot", name, null);
    }
    refuseProtected(prior);
  },

  async read(context, state) {
    const { backend, uuid } = locate(context, state.id, "id");
    return readTolerantly(context, backend, state, async () => {
      const memberIds = snapshotUuids(state);
      const group = await findGroupSnapshot(backend, uuid, state.backend_identity, memberIds);
      if (group === undefined) return null;
      // What the create never finished stays so: it has no snapshots to be used, and is replaced.
      const isUnfinished = neverFinished(state) && !group.isWhole;
      warnOfLosses(context, group, isUnfinished);
      const read = stateOf(group, state.backend_identity, state);
      return isUnfinished ? { ...read, ...unfinished } : read;
    });
  },

  async create(context, planned, privateData) {
    const written = settled(planned, writtenNames);
    const { backend, uuids } = await locateAll(context, written.volume_ids);
    if (typeof privateData["replaces"] === "string") await backend.acknowledged();
    const group = await keepingPartialState(
      backend,
      planned,
      (uuid) => ({ id: formatObjectId({ backend: backend.name, uuid }), ...unfinished }),
      () =>
        createGroupSnapshot(
          backend,
          {
            volumeIds: uuids,
            name: written.name,
            labels: written.labels ?? {},
            defaultLabels: context.fleet.settings.defaultLabels,
            deletionProtection: isUnknown(planned.deletion_protection)
              ? context.fleet.settings.deletionProtection
              : planned.deletion_protection,
            settings: settingsOf(written),
          },
          context.signal,
        ),
    );
    for (const { id } of group.members) backend.noteReturned(id);
    const id = formatObjectId({ backend: backend.name, uuid: group.id });
    return stateOf(group, await identityOf(backend), { ...written, id });
  },

  async update(context, prior, planned) {
    const { backend, uuid } = locate(context, prior.id, "id");
    const written = settled(planned, writtenNames);
    const changes = {
      name: written.name,
      labels: written.labels ?? {},
      defaultLabels: context.fleet.settings.defaultLabels,
      deletionProtection: settled(planned, ["deletion_protection"]).deletion_protection,
      settings: settingsOf(written),
    };
    const group = await updateGroupSnapshot(backend, uuid, prior.backend_identity, changes, context.signal);
    return stateOf(group, prior.backend_identity, { ...written, id: prior.id });
  },

  async delete(context, state) {
    const { backend, uuid } = locate(context, state.id, "id");
    await deleteGroupSnapshot(backend, uuid, state.backend_identity, snapshotUuids(state), context.signal);
  },

  async import(context, request) {
    const { backend, reference } = parseImport(context, "group snapshot", request);
    const groups = groupSnapshotsIn(await backend.listing());
    const group =
      "uuid" in reference
        ? groups.get(reference.uuid)
        : [...groups.values()].find(
            ({ name, members }) => name === reference.name && members[0].owner === backend.owner,
          );
    if (group === undefined) {
      throw new StorageError({
        kind: "SnapshotNotFound",
        action: `import group snapshot "${"uuid" in reference ? reference.uuid : reference.name}"`,
        reason: `There is no such group of owner "${backend.owner}" on this backend`,
        nextStep: "Check the backend, the name or UUID, and the provider's owner",
        backend: backend.name,
        host: backend.host.host,
      });
    }
    for (const member of group.members) {
      requireOwn(backend, "snapshot", member);
      backend.noteImport(member.id);
    }
    warnOfLosses(context, group, false);
    const [first] = group.members;
    return stateOf(group, await identityOf(backend), {
      labels: null,
      timeouts: null,
      ...(withoutRun(first.settings) as Partial<Written>),
      id: formatObjectId({ backend: backend.name, uuid: group.id }),
      name: group.name,
      volume_ids: await Promise.all(group.members.map((member) => volumeIdOfSnapshot(member, backend))),
    });
  },

  noteState(fleet, state) {
    const { backend: name } = parseObjectId(state.id, "id");
    const backend = fleet.backends.find((candidate) => candidate.answersTo(name));
    for (const uuid of snapshotUuids(state)) backend?.noteState(uuid, state.backend_identity);
  },
});

function validate({ volume_ids: ids }: Config<GroupAttributes>): Diagnostic[] {
  if (isUnknown(ids)) return [];
  if (ids.length === 0) {
    return [errorAt(["volume_ids"], "Empty volume_ids", "A group snapshot needs at least one volume.")];
  }
  const known = ids.filter((id) => !isUnknown(id));
  const twice = known.find((id, index) => known.indexOf(id) !== index);
  return twice === undefined
    ? []
    : [errorAt(["volume_ids"], "Repeated volume", `The volume "${twice}" is listed more than once.`)];
}

/** The one backend that all volumes are on now, and their UUIDs. @throws StorageError where there is more than one */
async function locateAll(
  context: HookContext,
  ids: readonly string[],
): Promise<{ readonly backend: Backend; readonly uuids: readonly string[] }> {
  const located = await Promise.all(ids.map((id) => locateVolume(context, id, "volume_ids")));
  const [first] = located;
  const other = located.find(({ backend }) => backend !== first?.backend);
  if (first === undefined || other !== undefined) {
    throw new StorageError({
      kind: "InvalidInput",
      action: "take a group snapshot",
      reason:
        first === undefined
          ? "It has no volumes"
          : `Its volumes are on the backends "${first.backend.name}" and "${other?.backend.name}", and only those of one backend can be snapshotted at one point in time`,
      attribute: ["volume_ids"],
    });
  }
  return { backend: first.backend, uuids: located.map(({ uuid }) => uuid) };
}

/** A backend that was renamed, with its old name among the aliases, is the same backend. */
function sameVolumes(
  context: HookContext | null,
  prior: GroupState | null,
  planned: Planned<GroupAttributes>["volume_ids"],
): boolean {
  if (prior === null || isUnknown(planned) || planned.length !== prior.volume_ids.length) return false;
  return planned.every(
    (id, index) => !isUnknown(id) && isSameObject(context, id, prior.volume_ids[index] ?? ""),
  );
}

/** The names that its snapshots get, or have, are no other snapshot's; its volumes can be told to be on one backend. */
async function checkNames(
  context: HookContext,
  prior: GroupState | null,
  { name, volume_ids: ids }: Planned<GroupAttributes>,
  isReplaced: boolean,
  privateData: PrivateData,
): Promise<void> {
  if (isUnknown(ids)) return;
  const known = ids.filter((id: Unknowable<string>): id is string => !isUnknown(id));
  if (known.length === 0) return;
  if (prior !== null) {
    // Where its volumes are: what is snapshotted does not move. Asking the volumes takes hosts that answer.
    const own = locate(context, prior.id, "id").backend;
    for (const [index, held] of memberNames(prior).entries()) {
      const planned = isReplaced || isUnknown(name) ? null : memberName(name, index);
      await claimForHeld(context, own, "snapshot", held, planned);
    }
    if (isReplaced) await refuseWriters((await locateAll(context, known)).backend, known);
    return;
  }
  const { backend } = await locateAll(context, known);
  // Also where an unreachable host is tolerated: what is replaced must not be taken for unfinished at apply.
  await acknowledgeReplaced(backend, privateData);
  try {
    const listing = await backend.listing();
    const { snapshots, volumes } = listing;
    if (typeof privateData["replaces"] === "string") await refuseWriters(backend, known);
    else warnOfWriters(context, known, volumes);
    if (isUnknown(name)) return;
    const replaced = groupSnapshotsIn(listing).get(String(privateData["replaces"]));
    const held = Array.from({ length: replaced?.count ?? 0 }, (_, index) =>
      memberName(replaced?.name ?? "", index),
    );
    for (const index of ids.keys()) {
      const own = memberName(name, index);
      await claimForCreation(context, backend, "snapshot", own, snapshots, privateData, held);
    }
  } catch (error) {
    if (!toleratesAbsence(backend, error)) throw error;
  }
}

type Volumes = Awaited<ReturnType<Backend["listing"]>>["volumes"];

/** The volumes among these that somebody may write to. */
function writtenTo(ids: readonly string[], volumes: Volumes): readonly VolumeRecord[] {
  return ids.flatMap((id) => {
    const record = volumes.get(parseObjectId(id, "volume_ids").uuid);
    return record === undefined || record.attachments.every(({ mode }) => mode === "ro") ? [] : [record];
  });
}

/** A warning only: the attachments may be gone by the time that the snapshots are taken. The create itself refuses. */
function warnOfWriters(context: HookContext, ids: readonly string[], volumes: Volumes): void {
  for (const { name } of writtenTo(ids, volumes)) {
    context.warn({
      summary: `Volume "${name}" is attached for writing`,
      detail:
        "Snapshots of several volumes are of one point in time only while nobody writes to them. The group snapshot is going to be refused, unless the attachment is gone by then.",
      path: ["volume_ids"],
    });
  }
}

/** Of a group that is replaced the old snapshots go first: a create that is refused afterwards would leave none. */
async function refuseWriters(backend: Backend, ids: readonly string[]): Promise<void> {
  try {
    const [first] = writtenTo(ids, (await backend.listing()).volumes);
    if (first === undefined) return;
    throw new StorageError({
      kind: "VolumeIsBusy",
      action: "replace the group snapshot",
      reason: `Volume "${first.name}" is attached for writing; the snapshots that are there would be deleted, and no others could be taken`,
      nextStep: "Destroy the attachment and apply that first",
      backend: backend.name,
      host: backend.host.host,
      attribute: ["volume_ids"],
    });
  } catch (error) {
    if (!toleratesAbsence(backend, error)) throw error;
  }
}

function neverFinished({ snapshot_ids: ids }: GroupState): boolean {
  return Object.keys(ids).length === 0;
}

/**
 * Whether there is nothing in the group that could be lost by replacing it: it was never finished, or is half deleted to
 * the last. One that has lost some of its snapshots is told of and stays: the others may be all that is left of the data.
 */
async function holdsNothing(context: HookContext, prior: GroupState): Promise<boolean> {
  const { backend, uuid } = locate(context, prior.id, "id");
  try {
    const group = groupSnapshotsIn(await backend.listing()).get(uuid);
    if (group === undefined || group.isWhole) return false;
    if (neverFinished(prior) || !group.members.some(isUsable)) return true;
    // A refresh has told of what is missing, and left it out of state.
    const there = new Set(group.members.map(({ id }) => id));
    if (snapshotUuids(prior).some((id) => !there.has(id))) warnOfLosses(context, group, false);
    return false;
  } catch (error) {
    if (!toleratesAbsence(backend, error)) throw error;
    return false;
  }
}

function warnOfLosses(
  context: HookContext,
  { name, members, isWhole }: GroupSnapshot,
  isUnfinished: boolean,
): void {
  if (!isWhole) {
    context.warn({
      summary: `The group snapshot "${name}" is not whole`,
      detail:
        isUnfinished || !members.some(isUsable)
          ? "It was never finished, or is half deleted. Destroy it, or apply to have it replaced by a new one."
          : "Some of its snapshots are gone. Those that are there are kept as they are: destroy the group, or replace it by a new one (-replace, --replace), when they are not needed any more.",
    });
  }
  for (const { name: member, broken } of members) {
    if (broken === undefined) continue;
    context.warn({
      summary: `The content of snapshot "${member}" is lost`,
      detail: `${broken}. The group is of no use without it: destroy it, or replace it by a new one (-replace).`,
    });
  }
}

function refuseProtected(prior: GroupState): void {
  if (!prior.deletion_protection) return;
  throw new StorageError({
    kind: "DeletionProtected",
    action: `delete group snapshot "${prior.name}" (${prior.id})`,
    reason: "It is protected against deletion",
    nextStep:
      "Set deletion_protection = false and apply that first; where its block is gone from the configuration, put it back for that",
    attribute: ["deletion_protection"],
  });
}

function memberNames({ name, volume_ids: ids }: GroupState): readonly string[] {
  return ids.map((_, index) => memberName(name, index));
}

function snapshotUuids({ snapshot_ids: ids }: GroupState): readonly string[] {
  return Object.values(ids).map((id) => parseObjectId(id, "snapshot_ids").uuid);
}

/** What only the resource needs to know, kept on the host for imports. */
function settingsOf({ labels, timeouts: limits }: Written): Readonly<Record<string, JsonValue>> {
  return withoutDefaults({ labels: labelsSetting(labels), timeouts: limits }, {});
}

/** State of a group as it is on the host; what only the configuration knows comes from `written`. */
function stateOf(
  { name, members }: GroupSnapshot,
  identity: string,
  written: Written & { readonly id: string },
): GroupState {
  const [first] = members;
  const { backend } = parseObjectId(written.id, "id");
  const idOf = (volumeId: string) =>
    written.volume_ids.find((id) => parseObjectId(id, "volume_ids").uuid === volumeId) ??
    formatObjectId({ backend, uuid: volumeId });
  return {
    id: written.id,
    name,
    volume_ids: written.volume_ids,
    deletion_protection: members.some(isProtected),
    labels: labelsOf(first, written.labels),
    timeouts: written.timeouts,
    labels_all: labelsAllOf(first),
    snapshot_ids: Object.fromEntries(
      members.map(({ id, volumeId }) => [idOf(volumeId), formatObjectId({ backend, uuid: id })]),
    ),
    backend_identity: identity,
    created_at: first.createdAt,
  };
}
