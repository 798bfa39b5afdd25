import { randomUUID } from "node:crypto";
import {
  type Creation,
  type Inventory,
  type JsonValue,
  type MetadataChanges,
  type NewVolume,
  type Provisioning,
  StorageError,
  type VolumeRecord,
  type VolumeSource,
} from "../contract/index.ts";
import type { Backend, LockedBackend } from "./backend.ts";
import { runCopyJob } from "./copying.ts";
import {
  describeObjects,
  isProtected,
  isResumable,
  removeHalfMade,
  requireOwn,
  requireWhole,
} from "./ownership.ts";

/** A volume as the user wants it. */
export interface VolumeRequest {
  /** Absent when `namePrefix` is given. */
  readonly name: string | null;
  readonly namePrefix: string | null;
  /** `null` takes the source's size. */
  readonly sizeBytes: number | null;
  readonly source: VolumeSource | null;
  readonly pool: string | null;
  readonly provisioning: Provisioning;
  readonly multiattach: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly defaultLabels: Readonly<Record<string, string>>;
  readonly deletionProtection: boolean;
  readonly settings: Readonly<Record<string, JsonValue>>;
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
 * @throws HalfMadeError when something was left on the host that a later delete has to remove
 */
export async function createVolume(
  backend: Backend,
  request: VolumeRequest,
  signal: AbortSignal | undefined,
): Promise<VolumeRecord> {
  const action = `create volume "${request.name ?? `${request.namePrefix}…`}"`;
  await backend.establishIdentity();
  let made: string | undefined;
  let copied = (): void => undefined;
  try {
    const creation = await backend.exclusive(action, signal, async (locked) => {
      const sizeBytes = resolveSize(backend, request, locked);
      const resumed = findResumable(backend, request, sizeBytes, locked);
      const volume = newVolume(backend, request, sizeBytes, resumed);
      backend.known.add(volume.id);
      if (resumed?.phase === "unacknowledged") {
        const record = await backend.driver.updateVolume(resumed, metadataOf(volume), locked);
        return { state: "ready" as const, record: locked.fresh.keepVolume(record) };
      }
      made = volume.id;
      const started = await startCreation(backend, volume, locked);
      if (started.state === "ready") {
        await publish(backend, started.record, locked);
      } else {
        locked.fresh.keepVolume(reservation(volume));
        if (volume.source?.kind === "volume") copied = backend.ownCopies.begin(volume.source.id);
      }
      return { ...started, id: volume.id };
    });
    if (creation.state === "ready") return creation.record;
    await runCopyJob(backend, creation.job, action, signal);
    const record = await backend.exclusive(action, signal, async (locked) =>
      publish(backend, await backend.driver.completeVolume(creation.id, locked), locked),
    );
    // The volume is whole: what is left of the job is removed with it at the latest.
    await backend.host.forgetJob(creation.job).catch(() => undefined);
    return record;
  } catch (error) {
    throw made === undefined ? error : await removeHalfMade(backend, "volume", made, error);
  } finally {
    copied();
  }
}

/** Renames, relabels, grows. The volume must be there. */
export async function updateVolume(
  backend: Backend,
  uuid: string,
  identity: string,
  changes: VolumeChanges,
  signal: AbortSignal | undefined,
): Promise<VolumeRecord> {
  await backend.listingOf(identity);
  return backend.exclusive(`change volume ${uuid}`, signal, async (locked) => {
    let record = requireVolume(backend, uuid, locked, "change");
    const { sizeBytes, ...metadata } = changes;
    if (metadata.name !== undefined && metadata.name !== record.name) {
      requireFreeName(backend, metadata.name, locked);
    }
    if (sizeBytes !== undefined) record = await extend(backend, record, sizeBytes, locked);
    if (Object.keys(metadata).length > 0) {
      record = locked.fresh.keepVolume(await backend.driver.updateVolume(record, metadata, locked));
    }
    return record;
  });
}

/** DEL-1 to DEL-3. Absent is success, given the expected identity. */
export async function deleteVolume(
  backend: Backend,
  uuid: string,
  identity: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await backend.listingOf(identity);
  await backend.exclusive(`delete volume ${uuid}`, signal, async (locked) => {
    await remove(backend, uuid, locked);
  });
}

async function remove(backend: Backend, uuid: string, locked: LockedBackend): Promise<void> {
  requireWhole(backend, locked.fresh, "volume", uuid);
  const record = locked.fresh.volumes.get(uuid);
  if (record !== undefined) {
    requireOwn(backend, "volume", record);
    requireUnused(record, locked);
    if (record.source !== null) {
      await backend.host.forgetJob(backend.driver.copyJob(uuid), { stop: true });
    }
    await backend.target.removeExport(record, locked);
  }
  // Also where it is gone already: the driver then removes what is left of its metadata.
  await backend.driver.deleteVolume(uuid, backend.owner, locked);
  locked.fresh.volumes.delete(uuid);
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
  await backend.exclusive(`retain volume ${uuid}`, signal, async (locked) => {
    requireWhole(backend, locked.fresh, "volume", uuid);
    const record = locked.fresh.volumes.get(uuid);
    if (record === undefined) return;
    if (record.phase === "creating") return remove(backend, uuid, locked);
    requireOwn(backend, "volume", record);
    locked.fresh.keepVolume(await backend.driver.updateVolume(record, { phase: "retained" }, locked));
  });
}

/** A volume of ours under the lock. @throws StorageError `VolumeNotFound`, `NotOwned`, or what is damaged. */
export function requireVolume(
  backend: Backend,
  uuid: string,
  locked: LockedBackend,
  verb: string,
): VolumeRecord {
  requireWhole(backend, locked.fresh, "volume", uuid);
  const record = locked.fresh.volumes.get(uuid);
  if (record === undefined) {
    throw new StorageError({
      kind: "VolumeNotFound",
      action: `${verb} volume ${uuid}`,
      reason: "There is no such volume on this backend",
      nextStep: "Refresh the state; a volume that was deleted behind its back is then planned anew",
    });
  }
  requireOwn(backend, "volume", record);
  return record;
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
  if (record === undefined || record.phase === "creating") {
    throw new StorageError({
      kind: source.kind === "snapshot" ? "SnapshotNotFound" : "VolumeNotFound",
      action: `use ${source.kind} ${source.id} as a source`,
      reason:
        record === undefined
          ? `There is no such ${source.kind} on this backend`
          : "It is not finished itself",
      backend: backend.name,
      attribute,
    });
  }
  requireOwn(backend, source.kind, record);
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
    record.source?.id === request.source?.id;
  // A prefix is no name: what it generated belongs to whichever resource of several has it.
  if (request.name === null) return undefined;
  for (const record of locked.fresh.volumes.values()) {
    if (record.owner !== backend.owner || record.name !== request.name) continue;
    if (isResumable(backend, record) && sameIntent(record)) return record;
    requireFreeName(backend, request.name, locked);
  }
  return undefined;
}

function requireFreeName(backend: Backend, name: string, locked: LockedBackend): void {
  for (const record of locked.fresh.volumes.values()) {
    if (record.owner === backend.owner && record.name === name) throw nameTaken(backend, record);
  }
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
    settings:
      request.namePrefix === null
        ? request.settings
        : { ...request.settings, name_prefix: request.namePrefix },
    createdAt: resumed?.createdAt ?? new Date().toISOString(),
  };
}

function metadataOf(volume: NewVolume): MetadataChanges {
  const { name, labels, defaultLabels, deletionProtection, settings, multiattach } = volume;
  return { name, labels, defaultLabels, deletionProtection, settings, multiattach };
}

function startCreation(
  backend: Backend,
  volume: NewVolume,
  locked: LockedBackend,
): Promise<Creation<VolumeRecord>> {
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
  return { ...volume, pool: volume.pool ?? "", phase: "creating", attachments: [], location: "" };
}

async function publish(backend: Backend, record: VolumeRecord, locked: LockedBackend): Promise<VolumeRecord> {
  await backend.target.createExport(record, locked);
  return locked.fresh.keepVolume(record);
}

async function extend(
  backend: Backend,
  record: VolumeRecord,
  sizeBytes: number,
  locked: LockedBackend,
): Promise<VolumeRecord> {
  if (sizeBytes < record.sizeBytes) throw shrinks(record, sizeBytes);
  if (sizeBytes === record.sizeBytes) return record;
  if (record.attachments.length > 0 && !backend.driver.features.onlineExtend) {
    throw new StorageError({
      kind: "VolumeIsBusy",
      action: `extend volume "${record.name}"`,
      reason: `It is attached to ${attachedTo(record)}, and this backend extends detached volumes only`,
      attribute: ["size"],
    });
  }
  const grown = locked.fresh.keepVolume(await backend.driver.extendVolume(record, sizeBytes, locked));
  await backend.target.ensureExport(grown, locked);
  return grown;
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

function requireUnused(record: VolumeRecord, locked: LockedBackend): void {
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
  if (record.attachments.length > 0) {
    throw new StorageError({
      kind: "VolumeIsBusy",
      action,
      reason: `It is attached to ${attachedTo(record)}`,
      nextStep: "Destroy its attachments first",
    });
  }
  const snapshots = [...locked.fresh.snapshots.values()].filter(({ volumeId }) => volumeId === record.id);
  if (snapshots.length > 0) {
    throw new StorageError({
      kind: "VolumeIsBusy",
      action,
      reason: `It has the ${snapshots.length === 1 ? "snapshot" : "snapshots"} ${describeObjects(snapshots)}`,
      nextStep: "Delete its snapshots first",
    });
  }
}

function attachedTo(record: VolumeRecord): string {
  return record.attachments
    .map(
      ({ id, connector }) =>
        `"${connector.host ?? connector.initiator ?? connector.nqn ?? connector.ip}" (attachment ${id})`,
    )
    .join(", ");
}

function gib(bytes: number): number {
  return bytes / 1024 ** 3;
}
