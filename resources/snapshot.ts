import {
  type Backend,
  createSnapshot,
  deleteSnapshot,
  findSnapshot,
  formatObjectId,
  hasName,
  isProtected,
  parseObjectId,
  requireOwn,
  updateSnapshot,
  withoutRun,
} from "../src/backend/index.ts";
import { type JsonValue, outlivesVolume, type SnapshotRecord, StorageError } from "../src/contract/index.ts";
import { labelsAllOf, labelsOf, labelsSetting, plannedWithDefaults } from "./common/labels.ts";
import { objectName } from "./common/names.ts";
import {
  acknowledgeReplaced,
  identityOf,
  isBeingDeleted,
  keepingPartialState,
  locate,
  locateVolume,
  nothingToImport,
  objectIdentity,
  parseImport,
  readTolerantly,
  refuseDeleted,
  replacing,
  toleratesAbsence,
  volumeIdOfSnapshot,
  warnIfUnfinished,
  withoutDefaults,
} from "./common/objects.ts";
import { claimForCreation, claimForHeld, claimForSnapshotDeletion } from "./common/planned-names.ts";
import { bytesToGib } from "./common/sizes.ts";
import {
  boolean,
  defineResource,
  type HookContext,
  integer,
  isUnknown,
  type PrivateData,
  type State,
  settled,
  string,
  stringMap,
  timeouts,
  UNKNOWN,
  type Validator,
} from "./schema/index.ts";

const percentage: Validator<number> = {
  description: "be between 1 and 100",
  check: (value) => (value >= 1 && value <= 100 ? undefined : `It must be between 1 and 100, not ${value}.`),
};

const attributes = {
  id: string("computed", { description: "`<backend>/<uuid>`; never changes." }),
  volume_id: string("required", {
    description: "The volume to take the snapshot of. A change takes a new snapshot in place of this one.",
    replaces: true,
    example: "fast/6f3c1f0e-7a55-4c0b-9f4e-2f7a0c1d9b11",
  }),
  name: string("optional_computed", {
    description:
      "The snapshot's name: unique for owner and backend, kept as metadata on the host, changed in place. Generated when it is left out.",
    validators: [objectName],
    example: "db-before-upgrade",
  }),
  deletion_protection: boolean("optional_computed", {
    description:
      "Refuses to delete the snapshot: at plan, and always on the host. Default: the provider's `deletion_protection`.",
  }),
  snapshot_size_percent: integer("optional", {
    description:
      "For snapshots of thick LVM volumes: the space that is kept for what changes in the volume, as a percentage of its size. Once it is used up, the snapshot's content is lost. Default: what the backend says. Without effect on others, and once the snapshot is taken.",
    validators: [percentage],
  }),
  labels: stringMap("optional", {
    description: "Any strings; kept on the host with the snapshot, over the provider's `default_labels`.",
  }),
  timeouts: timeouts("create", "read", "update", "delete"),
  labels_all: stringMap("computed", {
    description: "`labels` and the provider's `default_labels` together, as kept on the host.",
  }),
  size: integer("computed", { description: "The volume's size in GiB when the snapshot was taken." }),
  size_bytes: integer("computed", { description: "The same in bytes." }),
  backend_identity: string("computed", {
    description:
      "What the storage behind the backend calls itself; it must stay the same for the snapshot to count as gone.",
  }),
  created_at: string("computed", { description: "When the snapshot was taken, RFC 3339 in UTC." }),
} as const;

type SnapshotAttributes = typeof attributes;
type SnapshotState = State<SnapshotAttributes>;

/** What only the configuration decides: known at apply, and kept as written. */
const writtenNames = ["volume_id", "snapshot_size_percent", "labels", "timeouts"] as const;
type Written = Pick<SnapshotState, (typeof writtenNames)[number]>;

const minute = 60_000;

/** `breezeblock_snapshot`: a volume's content at one point in time. */
export const snapshot = defineResource<SnapshotAttributes>({
  name: "snapshot",
  description:
    "A snapshot: a volume's content at one point in time, from which new volumes can be made. Where the host's file system has no reflinks (ext4, for one), it is a copy, and the volume must not have an attachment in mode `rw` while it is taken: let the attachment depend on the snapshot (`depends_on`, `dependsOn`).",
  version: 0,
  attributes,
  identity: objectIdentity,
  timeouts: { create: 60 * minute, read: 5 * minute, update: 20 * minute, delete: 20 * minute },

  async plan(context, { config, prior, planned, replace: changed, private: privateData }) {
    const replace = [...replacing(context, prior, planned, changed)];
    if (prior !== null && replace.length > 0) {
      if (context !== null) await refuseLast(context, prior);
      refuseProtected(prior);
      if (context !== null) {
        const { backend, uuid } = locate(context, prior.id, "id");
        claimForSnapshotDeletion(context, backend, uuid);
      }
    }
    const isGone = context !== null && prior !== null && (await isHalfDeleted(context, prior));
    if (isGone) replace.push(["id"]);
    if (context !== null && !isUnknown(planned.volume_id)) {
      const { backend } = await locateVolume(context, planned.volume_id, "volume_id");
      const name = isUnknown(planned.name) ? null : planned.name;
      if (prior !== null) {
        await claimForHeld(context, backend, "snapshot", prior.name, replace.length === 0 ? name : null);
      } else {
        await checkCreation(context, backend, name, privateData);
      }
    }
    return {
      planned: {
        ...planned,
        ...(isGone ? { id: UNKNOWN } : {}),
        ...plannedWithDefaults(context, config, planned),
      },
      replace,
      private: prior === null ? privateData : { replaces: parseObjectId(prior.id, "id").uuid },
    };
  },

  async planDelete(context, prior) {
    if (context !== null) {
      await claimForHeld(context, locate(context, prior.id, "id").backend, "snapshot", prior.name, null);
    }
    refuseProtected(prior);
    if (context !== null) {
      const { backend, uuid } = locate(context, prior.id, "id");
      claimForSnapshotDeletion(context, backend, uuid);
    }
  },

  async read(context, state) {
    const { backend, uuid } = locate(context, state.id, "id");
    return readTolerantly(context, backend, state, async () => {
      const record = await findSnapshot(backend, uuid, state.backend_identity);
      if (record === undefined) return null;
      warnIfUnfinished(context, "snapshot", record);
      warnIfBroken(context, record);
      return stateOf(record, state.backend_identity, state);
    });
  },

  async create(context, planned, privateData) {
    const written = settled(planned, writtenNames);
    const { backend, uuid: volumeId } = await locateVolume(context, written.volume_id, "volume_id");
    const replaced = privateData["replaces"];
    if (typeof replaced === "string") {
      backend.known.add(replaced);
      await backend.acknowledged();
    }
    const record = await keepingPartialState(
      backend,
      planned,
      // What is unfinished is never protected: it holds no data, and could not be removed otherwise.
      (uuid) => ({ id: formatObjectId({ backend: backend.name, uuid }), deletion_protection: false }),
      () =>
        createSnapshot(
          backend,
          {
            volumeId,
            name: isUnknown(planned.name) ? null : planned.name,
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
    backend.noteReturned(record.id);
    const id = formatObjectId({ backend: backend.name, uuid: record.id });
    return stateOf(record, await identityOf(backend), { ...written, id });
  },

  async update(context, prior, planned) {
    const { backend, uuid } = locate(context, prior.id, "id");
    const written = settled(planned, writtenNames);
    const known = settled(planned, ["name", "deletion_protection"]);
    const changes = {
      ...(known.name === prior.name ? {} : { name: known.name }),
      labels: written.labels ?? {},
      defaultLabels: context.fleet.settings.defaultLabels,
      deletionProtection: known.deletion_protection,
      settings: settingsOf(written),
    };
    const record = await updateSnapshot(backend, uuid, prior.backend_identity, changes, context.signal);
    return stateOf(record, prior.backend_identity, { ...written, id: prior.id });
  },

  async delete(context, state) {
    const { backend, uuid } = locate(context, state.id, "id");
    await deleteSnapshot(backend, uuid, state.backend_identity, context.signal);
  },

  async import(context, request) {
    const { backend, reference } = parseImport(context, "snapshot", request);
    const record = await findImported(backend, reference);
    if (record === undefined) throw nothingToImport(backend, "snapshot", reference);
    requireOwn(backend, "snapshot", record);
    refuseDeleted(backend, "snapshot", record);
    warnIfUnfinished(context, "snapshot", record);
    warnIfBroken(context, record);
    backend.noteImport(record.id);
    return stateOf(record, await identityOf(backend), {
      snapshot_size_percent: null,
      labels: null,
      timeouts: null,
      ...(withoutRun(record.settings) as Partial<Written>),
      id: formatObjectId({ backend: backend.name, uuid: record.id }),
      volume_id: await volumeIdOfSnapshot(record, backend),
    });
  },

  noteState(fleet, state) {
    const id = parseObjectId(state.id, "id");
    fleet.backends
      .find((backend) => backend.answersTo(id.backend))
      ?.noteState(id.uuid, state.backend_identity);
  },
});

/** A snapshot whose space has run out has lost what it kept. */
function warnIfBroken(context: HookContext, record: SnapshotRecord): void {
  if (record.broken === undefined) return;
  context.warn({
    summary: `The content of snapshot "${record.name}" is lost`,
    detail: `${record.broken}. All that can be done with it is to delete it: destroy it, or replace it by a new one (-replace).`,
  });
}

function refuseProtected(prior: SnapshotState): void {
  if (!prior.deletion_protection) return;
  throw new StorageError({
    kind: "DeletionProtected",
    action: `delete snapshot "${prior.name}" (${prior.id})`,
    reason: "It is protected against deletion",
    nextStep:
      "Set deletion_protection = false and apply that first; where its block is gone from the configuration, put it back for that",
    attribute: ["deletion_protection"],
  });
}

/**
 * A volume's last snapshot is all that is left of it: it is not given up for one of another volume.
 *
 * @throws StorageError `InvalidInput`
 */
async function refuseLast(context: HookContext, prior: SnapshotState): Promise<void> {
  const { backend, uuid } = locate(context, prior.id, "id");
  const found = (await backend.listing()).snapshots.get(uuid);
  if (found === undefined || !outlivesVolume(found)) return;
  throw new StorageError({
    kind: "InvalidInput",
    action: `replace snapshot "${prior.name}" (${prior.id})`,
    reason: "It is the last of a volume that is gone, and what it holds would be lost",
    nextStep: `Write volume_id = "${prior.volume_id}", as it was taken of that volume; or destroy it, if its content may go`,
    attribute: ["volume_id"],
  });
}

function isHalfDeleted(context: HookContext, prior: SnapshotState): Promise<boolean> {
  return isBeingDeleted(locate(context, prior.id, "id").backend, "snapshot", prior.id);
}

async function checkCreation(
  context: HookContext,
  backend: Backend,
  name: string | null,
  privateData: PrivateData,
): Promise<void> {
  // Also where an unreachable host is tolerated: what is replaced must not be taken for unfinished at apply.
  await acknowledgeReplaced(backend, privateData);
  try {
    if (name === null) return;
    const { snapshots } = await backend.listing();
    await claimForCreation(context, backend, "snapshot", name, snapshots, privateData);
  } catch (error) {
    if (!toleratesAbsence(backend, error)) throw error;
  }
}

async function findImported(
  backend: Backend,
  reference: { readonly uuid: string } | { readonly name: string },
): Promise<SnapshotRecord | undefined> {
  const { snapshots } = await backend.listing();
  return "uuid" in reference
    ? snapshots.get(reference.uuid)
    : [...snapshots.values()].find((candidate) => hasName(backend, candidate, reference.name));
}

/** What only the resource needs to know, kept on the host for imports. */
function settingsOf(written: Written): Readonly<Record<string, JsonValue>> {
  const { labels, timeouts: limits, snapshot_size_percent } = written;
  return withoutDefaults({ labels: labelsSetting(labels), timeouts: limits, snapshot_size_percent }, {});
}

/** State of a snapshot as it is on the host; what only the configuration knows comes from `written`. */
function stateOf(
  record: SnapshotRecord,
  identity: string,
  written: Written & { readonly id: string },
): SnapshotState {
  return {
    id: written.id,
    volume_id: written.volume_id,
    name: record.name,
    deletion_protection: isProtected(record),
    snapshot_size_percent: written.snapshot_size_percent,
    labels: labelsOf(record, written.labels),
    timeouts: written.timeouts,
    labels_all: labelsAllOf(record),
    size: bytesToGib(record.sizeBytes),
    size_bytes: record.sizeBytes,
    backend_identity: identity,
    created_at: record.createdAt,
  };
}
