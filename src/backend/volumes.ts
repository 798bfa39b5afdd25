import { randomUUID } from "node:crypto";
import {
  type ExportedVolume,
  type ImageSource,
  type Inventory,
  type JsonValue,
  type MetadataChanges,
  type NewVolume,
  type ObjectRecord,
  type Provisioning,
  StorageError,
  snapshotsHolding,
  type VolumeRecord,
  type VolumeSource,
  type Work,
} from "../contract/index.ts";
import type { Backend, LockedBackend } from "./backend.ts";
import { anyPlace, gib, type PlacementWishes } from "./candidates.ts";
import { carryOut, carryOutCreation } from "./carry-out.ts";
import { withRun } from "./creation-runs.ts";
import { settleImages } from "./image-marks.ts";
import { beginFilling, claimStaging, imageSetting, isFromSame, sizeFromImage } from "./images.ts";
import { settleLastSnapshots } from "./last-snapshot-marks.ts";
import { keepingMarks } from "./migration-marks.ts";
import {
  describeObjects,
  isProtected,
  isResumable,
  isUsable,
  requireNotMoving,
  requireNotRestoring,
  requireOwn,
  requireUsable,
  requireWhole,
} from "./ownership.ts";
import { always, type Confirmation, removal, stopJobs } from "./removal.ts";
import { isUnclaimed } from "./unclaimed.ts";

/** A volume as the user wants it. */
export interface VolumeRequest {
  /** Absent when `namePrefix` is given. */
  readonly name: string | null;
  readonly namePrefix: string | null;
  /** `null` takes the source's size. */
  readonly sizeBytes: number | null;
  readonly source: VolumeSource | null;
  /** In place of `source`. Kept in the volume's settings, as drivers need not know it. */
  readonly image?: ImageSource | undefined;
  readonly pool: string | null;
  readonly provisioning: Provisioning;
  readonly multiattach: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly defaultLabels: Readonly<Record<string, string>>;
  readonly deletionProtection: boolean;
  readonly settings: Readonly<Record<string, JsonValue>>;
  /** What its place must be, besides having room. Default: anything. */
  readonly wishes?: PlacementWishes;
}

export interface VolumeChanges extends Omit<MetadataChanges, "phase"> {
  readonly sizeBytes?: number;
}

/** A volume by id, or `undefined` when it is certain that there is none. Answered from the run's listing. */
export async function findVolume(
  backend: Backend,
  uuid: string,
  identity: string,
): Promise<VolumeRecord | undefined> {
  const listing = await backend.listingOf(identity);
  requireWhole(backend, listing, "volume", uuid);
  const record = listing.volumes.get(uuid);
  if (record !== undefined) requireOwn(backend, "volume", record);
  return record;
}

/**
 * CRE-1, CFS-1, CLN-1: makes a volume, or resumes one that a killed create of the same owner left behind.
 *
 * @throws StorageError `NoValidBackend` where the backend has no room for it by now, or is not as it was asked for
 * @throws HalfMadeError when something was left on the host that a later delete has to remove
 */
export async function createVolume(
  backend: Backend,
  asked: VolumeRequest,
  signal: AbortSignal | undefined,
): Promise<VolumeRecord> {
  const action = `create volume "${asked.name ?? `${asked.namePrefix}…`}"`;
  await backend.establishIdentity();
  const { image } = asked;
  const request =
    image === undefined || asked.sizeBytes !== null
      ? asked
      : { ...asked, sizeBytes: await sizeFromImage(backend, image, signal, action) };
  // What a killed run began has that run's metadata.
  let continued: NewVolume | undefined;
  const upToDate = async (record: VolumeRecord, locked: LockedBackend): Promise<VolumeRecord> =>
    continued === undefined ? record : backend.driver.updateVolume(record, metadataOf(continued), locked);
  return carryOutCreation(backend, {
    kind: "volume",
    action,
    signal,
    async plan(locked, run) {
      const sizeBytes = resolveSize(backend, request, locked);
      const resumed = findResumable(backend, request, sizeBytes, locked);
      if (resumed === undefined) {
        const { pool, provisioning, multiattach, wishes = anyPlace } = request;
        const demand = { action, sizeBytes, provisioning, multiattach, ...wishes };
        await locked.space.take(demand, { backend, pool });
      }
      const volume = newVolume(backend, request, sizeBytes, resumed, run);
      continued = resumed === undefined ? undefined : volume;
      return {
        id: volume.id,
        resume: resumed?.phase === "unacknowledged" ? () => upToDate(resumed, locked) : undefined,
        takeOver:
          resumed?.phase === "creating"
            ? () => backend.driver.updateVolume(resumed, { settings: volume.settings }, locked)
            : undefined,
        async begin() {
          if (image !== undefined) {
            if (resumed !== undefined) {
              // First what keeps jobs of the run before from beginning, then the end of those that have begun.
              await claimStaging(backend, volume, image, run, locked);
              const fetching = image.place === "local_path" ? "stop fetching" : "keep fetching";
              await stopJobs(backend, resumed, fetching);
            }
            return beginFilling(backend, { volume, image, run }, locked, action, signal);
          }
          const work = await beginCreation(backend, volume, locked);
          return work.state === "ready" ? { ...work, record: await upToDate(work.record, locked) } : work;
        },
        reservation: reservation(volume),
        copyOf: volume.source?.kind === "volume" ? volume.source.id : undefined,
      };
    },
    complete: async (id, locked) => upToDate(await backend.driver.completeVolume(id, locked), locked),
    keep: (listing, record) => listing.keepVolume(record),
  });
}

/** Renames, relabels, grows. The volume must be there. */
export async function updateVolume(
  backend: Backend,
  uuid: string,
  identity: string,
  changes: VolumeChanges,
  signal: AbortSignal | undefined,
): Promise<VolumeRecord> {
  const known = (await backend.listingOf(identity)).volumes.get(uuid);
  const { sizeBytes, ...metadata } = changes;
  const finish = async (record: VolumeRecord, locked: LockedBackend): Promise<VolumeRecord> => {
    const { settings } = metadata;
    const changes =
      settings === undefined ? metadata : { ...metadata, settings: keepingMarks(record, settings) };
    const changed =
      Object.keys(metadata).length === 0
        ? record
        : await backend.driver.updateVolume(record, changes, locked);
    return locked.fresh.keepVolume(changed);
  };
  return carryOut(backend, {
    action: `change volume ${known === undefined ? uuid : describeObjects([known])}`,
    signal,
    async begin(locked) {
      const record = requireVolume(backend, uuid, locked, "change");
      requireUsable("change", "volume", record);
      if (metadata.name !== undefined && metadata.name !== record.name) {
        requireFreeName(backend, metadata.name, locked);
      }
      if (sizeBytes === undefined) return { state: "ready", record: await finish(record, locked) };
      const settled =
        sizeBytes === record.sizeBytes
          ? record
          : await settleImages(backend, record, `extend volume "${record.name}"`, locked);
      const extension = await beginExtension(backend, settled, sizeBytes, locked);
      if (extension.state === "working") return extension;
      await announceSize(backend, extension.record, locked);
      return { state: "ready", record: await finish(extension.record, locked) };
    },
    async complete(locked) {
      const record = requireVolume(backend, uuid, locked, "change");
      const grown = await backend.driver.completeExtension(record, sizeBytes ?? record.sizeBytes, locked);
      await announceSize(backend, grown, locked);
      return finish(grown, locked);
    },
  });
}

/** DEL-1 to DEL-3. Absent is success, given the expected identity. */
export async function deleteVolume(
  backend: Backend,
  uuid: string,
  identity: string,
  signal: AbortSignal | undefined,
  confirm: Confirmation = always,
): Promise<void> {
  const known = (await backend.listingOf(identity)).volumes.get(uuid);
  const { begin, complete } = removal(backend, "volume", uuid);
  await carryOut(backend, {
    action: `delete volume ${known === undefined ? uuid : describeObjects([known])}`,
    signal,
    async begin(locked) {
      await confirm(locked);
      const record = ownVolume(backend, uuid, locked);
      if (record !== undefined && record.phase !== "deleting") {
        const action = `delete volume "${record.name}"`;
        await settleLastSnapshots(backend, record, action, locked);
        requireUnused(record, locked);
        await settleImages(backend, record, action, locked);
      }
      // Also where it is gone already: what exported it may have stayed.
      await backend.target.removeExport(record ?? goneVolume(uuid), locked);
      return begin(locked);
    },
    complete,
  });
}

/**
 * Gives a volume up but leaves it on the storage, in phase `retained`: no create takes it up, no run deletes it. A volume
 * that was never finished is worth nothing to anybody, and is deleted.
 */
export async function retainVolume(
  backend: Backend,
  uuid: string,
  identity: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await backend.listingOf(identity);
  const { begin, complete } = removal(backend, "volume", uuid);
  await carryOut(backend, {
    action: `retain volume ${uuid}`,
    signal,
    async begin(locked) {
      const record = ownVolume(backend, uuid, locked);
      if (record !== undefined && !isUsable(record)) return begin(locked);
      if (record !== undefined) {
        requireNotRestoring(`retain volume "${record.name}"`, record);
        locked.fresh.keepVolume(await backend.driver.updateVolume(record, { phase: "retained" }, locked));
      }
      return { state: "ready", record: null };
    },
    complete,
  });
}

/** What is left to name a volume by whose record is gone. */
export function goneVolume(uuid: string): ExportedVolume {
  return { id: uuid, name: uuid, location: "" };
}

/** A volume of ours under the lock, where there is one. @throws StorageError `NotOwned`, or what is damaged. */
export function ownVolume(backend: Backend, uuid: string, locked: LockedBackend): VolumeRecord | undefined {
  requireWhole(backend, locked.fresh, "volume", uuid);
  const record = locked.fresh.volumes.get(uuid);
  if (record !== undefined) requireOwn(backend, "volume", record);
  return record;
}

/** A volume of ours under the lock. @throws StorageError `VolumeNotFound`, `NotOwned`, or what is damaged. */
export function requireVolume(
  backend: Backend,
  uuid: string,
  locked: LockedBackend,
  verb: string,
): VolumeRecord {
  const record = ownVolume(backend, uuid, locked);
  if (record !== undefined) return record;
  if (isUnclaimed(backend, uuid)) {
    throw new StorageError({
      kind: "VolumeNotFound",
      action: `${verb} volume ${uuid}`,
      reason: "It is imported, but not claimed yet: breezeblock has written nothing on it",
      nextStep:
        "Apply the volume first, so that it is claimed; let what uses it refer to the volume resource",
      backend: backend.name,
      host: backend.host.host,
    });
  }
  throw new StorageError({
    kind: "VolumeNotFound",
    action: `${verb} volume ${uuid}`,
    reason: "There is no such volume on this backend",
    nextStep: "Refresh the state; a volume that was deleted behind its back is then planned anew",
  });
}

function resolveSize(backend: Backend, request: VolumeRequest, locked: LockedBackend): number {
  const { source, sizeBytes } = request;
  const found =
    source === null ? sizeBytes : requireSource(backend, source, locked.fresh, sizeBytes).sizeBytes;
  const size = sizeBytes ?? found;
  if (size !== null) return size;
  throw new StorageError({
    kind: "InvalidInput",
    action: "create volume",
    reason: "It has neither a size nor a source",
    attribute: ["size"],
  });
}

/**
 * A source that a volume of `sizeBytes` (`null`: as large as its source) can be made from.
 *
 * @throws StorageError when it is not there, not finished, not ours, or larger than the volume is to be
 */
export function requireSource(
  backend: Backend,
  source: VolumeSource,
  inventory: Inventory,
  sizeBytes: number | null,
): { readonly sizeBytes: number; readonly name: string } {
  const attribute = ["source", `${source.kind}_id`];
  requireWhole(backend, inventory, source.kind, source.id);
  const record =
    source.kind === "snapshot" ? inventory.snapshots.get(source.id) : inventory.volumes.get(source.id);
  if (record === undefined || !isUsable(record)) {
    throw new StorageError({
      kind: source.kind === "snapshot" ? "SnapshotNotFound" : "VolumeNotFound",
      action: `use ${source.kind} ${source.id} as a source`,
      reason:
        record === undefined
          ? `There is no such ${source.kind} on this backend`
          : record.phase === "creating"
            ? "It is not finished itself"
            : "It is being deleted",
      backend: backend.name,
      attribute,
    });
  }
  requireOwn(backend, source.kind, record);
  requireNotMoving("copy", source.kind, record);
  if ("restoring" in record) requireNotRestoring(`use volume "${record.name}" as a source`, record);
  if ("broken" in record && record.broken !== undefined) {
    throw new StorageError({
      kind: "VolumeBackendError",
      action: `use snapshot "${record.name}" as a source`,
      reason: `Its content is lost: ${record.broken}`,
      nextStep: "Use another snapshot; all that can be done with this one is to delete it",
      backend: backend.name,
      attribute,
    });
  }
  if (sizeBytes !== null && sizeBytes < record.sizeBytes) {
    throw new StorageError({
      kind: "InvalidInput",
      action: `make a volume of ${gib(sizeBytes)} GiB from ${source.kind} "${record.name}"`,
      reason: `The ${source.kind} has ${gib(record.sizeBytes)} GiB`,
      nextStep: `Write size = ${Math.ceil(gib(record.sizeBytes))} or more, or leave it out`,
      backend: backend.name,
      attribute: ["size"],
    });
  }
  return record;
}

function findResumable(
  backend: Backend,
  request: VolumeRequest,
  sizeBytes: number,
  locked: LockedBackend,
): VolumeRecord | undefined {
  const sameIntent = (record: VolumeRecord): boolean =>
    record.sizeBytes === sizeBytes &&
    record.provisioning === request.provisioning &&
    record.source?.kind === request.source?.kind &&
    record.source?.id === request.source?.id &&
    isFromSame(record, request.image);
  // A prefix is no name: what it generated belongs to whichever resource of several has it.
  if (request.name === null) return undefined;
  for (const record of locked.fresh.volumes.values()) {
    if (!hasName(backend, record, request.name)) continue;
    if (isResumable(backend, record) && sameIntent(record)) return record;
    requireFreeName(backend, request.name, locked);
  }
  return undefined;
}

/** @throws StorageError `AlreadyExists` */
export function requireFreeName(backend: Backend, name: string, locked: LockedBackend): void {
  for (const record of locked.fresh.volumes.values()) {
    if (hasName(backend, record, name)) throw nameTaken(backend, record);
  }
}

/** Whether a name of this owner's is taken by that volume; what is being deleted has given its name up. */
export function hasName(backend: Backend, record: ObjectRecord, name: string): boolean {
  return record.owner === backend.owner && record.name === name && record.phase !== "deleting";
}

/** The refusal of a name that a volume of the same owner has already. */
export function nameTaken(backend: Backend, record: VolumeRecord): StorageError {
  return new StorageError({
    kind: "AlreadyExists",
    action: `create volume "${record.name}"`,
    reason: `Volume ${record.id} has that name already${record.phase === "retained" ? " (retained)" : ""}; names are unique on a backend`,
    nextStep: `To manage that volume, import it as "${backend.name}/${record.name}"; otherwise choose another name, or name_prefix where a replacement is created before the old volume is destroyed`,
    backend: backend.name,
    host: backend.host.host,
    attribute: ["name"],
  });
}

function newVolume(
  backend: Backend,
  request: VolumeRequest,
  sizeBytes: number,
  resumed: VolumeRecord | undefined,
  run: string,
): NewVolume {
  return {
    id: resumed?.id ?? randomUUID(),
    name: request.name ?? `${request.namePrefix}${randomUUID().slice(0, 8)}`,
    owner: backend.owner,
    sizeBytes,
    pool: request.pool,
    provisioning: request.provisioning,
    multiattach: request.multiattach,
    source: request.source,
    labels: request.labels,
    defaultLabels: request.defaultLabels,
    deletionProtection: request.deletionProtection,
    settings: withRun(
      {
        ...request.settings,
        ...(request.namePrefix === null ? {} : { name_prefix: request.namePrefix }),
        ...(request.image === undefined ? {} : { image: imageSetting(request.image) }),
      },
      run,
    ),
    createdAt: resumed?.createdAt ?? new Date().toISOString(),
  };
}

function metadataOf(volume: NewVolume): MetadataChanges {
  const { name, labels, defaultLabels, deletionProtection, settings, multiattach } = volume;
  return { name, labels, defaultLabels, deletionProtection, settings, multiattach };
}

function beginCreation(
  backend: Backend,
  volume: NewVolume,
  locked: LockedBackend,
): Promise<Work<VolumeRecord>> {
  const { driver } = backend;
  if (volume.source === null) return driver.createVolume(volume, locked);
  if (volume.source.kind === "snapshot") {
    const snapshot = locked.fresh.snapshots.get(volume.source.id);
    if (snapshot !== undefined) return driver.createVolumeFromSnapshot(volume, snapshot, locked);
  } else {
    const source = locked.fresh.volumes.get(volume.source.id);
    if (source !== undefined) return driver.createClonedVolume(volume, source, locked);
  }
  throw new Error(`source ${volume.source.id} vanished from the listing`);
}

/** A volume that is being copied, as other work under the lock must see it. */
function reservation(volume: NewVolume): VolumeRecord {
  return {
    ...volume,
    pool: volume.pool ?? "",
    phase: "creating",
    formatted: false,
    attachments: [],
    location: "",
  };
}

async function beginExtension(
  backend: Backend,
  record: VolumeRecord,
  sizeBytes: number,
  locked: LockedBackend,
): Promise<Work<VolumeRecord>> {
  if (sizeBytes < record.sizeBytes) throw shrinks(record, sizeBytes);
  if (
    record.attachments.length > 0 &&
    sizeBytes > record.sizeBytes &&
    !backend.driver.features.onlineExtend
  ) {
    throw new StorageError({
      kind: "VolumeIsBusy",
      action: `extend volume "${record.name}"`,
      reason: `It is attached to ${attachedTo(record)}, and this backend extends detached volumes only`,
      attribute: ["size"],
    });
  }
  if (sizeBytes > record.sizeBytes) await locked.space.grow({ backend, pool: null }, record, sizeBytes);
  return backend.driver.extendVolume(record, sizeBytes, locked);
}

/** EXT-1: consumers see the new size. What nobody is attached to is not exported. */
async function announceSize(backend: Backend, grown: VolumeRecord, locked: LockedBackend): Promise<void> {
  locked.fresh.keepVolume(grown);
  if (grown.attachments.length === 0) return;
  backend.exportsChanged();
  await backend.target.ensureExport(grown, locked);
}

/** EXT-2: the refusal of a size below what the volume has. */
export function shrinks(record: Pick<VolumeRecord, "name" | "sizeBytes">, sizeBytes: number): StorageError {
  const there = gib(record.sizeBytes);
  return new StorageError({
    kind: "InvalidInput",
    action: `shrink volume "${record.name}" from ${there} to ${gib(sizeBytes)} GiB`,
    reason: `It has ${there} GiB on the host, and volumes only grow: shrinking one would cut off data`,
    nextStep: `Write size = ${Math.ceil(there)}`,
    attribute: ["size"],
  });
}

/** DEL-2. @throws StorageError when the volume is protected, or something depends on it */
export function requireUnused(record: VolumeRecord, locked: LockedBackend): void {
  const action = `delete volume "${record.name}"`;
  if (isProtected(record)) {
    throw new StorageError({
      kind: "DeletionProtected",
      action,
      reason: "It is protected against deletion",
      nextStep: "Set deletion_protection = false and apply that first",
      attribute: ["deletion_protection"],
    });
  }
  requireDetached(record, locked, action);
}

/** @throws StorageError `VolumeIsBusy` where something depends on the volume */
export function requireDetached(record: VolumeRecord, locked: LockedBackend, action: string): void {
  if (record.attachments.length > 0) {
    throw new StorageError({
      kind: "VolumeIsBusy",
      action,
      reason: `It is attached to ${attachedTo(record)}`,
      nextStep: "Destroy its attachments first",
    });
  }
  const snapshots = snapshotsHolding(record.id, locked.fresh);
  if (snapshots.length > 0) {
    throw new StorageError({
      kind: "VolumeIsBusy",
      action,
      reason: `It has the ${snapshots.length === 1 ? "snapshot" : "snapshots"} ${describeObjects(snapshots)}`,
      nextStep: "Delete its snapshots first",
    });
  }
}

/** The consumers of a volume, for messages. */
export function attachedTo(record: VolumeRecord): string {
  return record.attachments
    .map(
      ({ id, connector }) =>
        `"${connector.host ?? connector.initiator ?? connector.nqn ?? connector.ip}" (attachment ${id})`,
    )
    .join(", ");
}
