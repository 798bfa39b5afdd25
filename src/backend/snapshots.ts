import { randomUUID } from "node:crypto";
import {
  type JsonValue,
  type MetadataChanges,
  type NewSnapshot,
  type SnapshotRecord,
  StorageError,
  type VolumeRecord,
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
import { requireVolume } from "./volumes.ts";

/** A snapshot as the user wants it. */
export interface SnapshotRequest {
  readonly volumeId: string;
  /** `null` names it by its id. */
  readonly name: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly defaultLabels: Readonly<Record<string, string>>;
  readonly deletionProtection: boolean;
  readonly settings: Readonly<Record<string, JsonValue>>;
}

export type SnapshotChanges = Omit<MetadataChanges, "phase" | "multiattach">;

/** A snapshot by id, or `undefined` when it is certain that there is none. Answered from the run's listing. */
export async function findSnapshot(
  backend: Backend,
  uuid: string,
  identity: string,
): Promise<SnapshotRecord | undefined> {
  const listing = await backend.listingOf(identity);
  requireWhole(backend, listing, "snapshot", uuid);
  const record = listing.snapshots.get(uuid);
  if (record !== undefined) requireOwn(backend, "snapshot", record);
  return record;
}

/**
 * SNP-1: takes a snapshot, or resumes one that a killed create of the same owner left behind.
 *
 * @throws HalfMadeError when something was left on the host that a later delete has to remove
 */
export async function createSnapshot(
  backend: Backend,
  request: SnapshotRequest,
  signal: AbortSignal | undefined,
): Promise<SnapshotRecord> {
  const action = `take ${request.name === null ? "a snapshot" : `snapshot "${request.name}"`} of volume ${request.volumeId}`;
  let made: string | undefined;
  let copied = (): void => undefined;
  try {
    const creation = await backend.exclusive(action, signal, async (locked) => {
      const volume = requireVolume(backend, request.volumeId, locked, "take a snapshot of");
      requireFinished(volume);
      const resumed = findResumable(backend, request, locked);
      const snapshot = newSnapshot(backend, request, resumed);
      backend.known.add(snapshot.id);
      if (resumed?.phase === "unacknowledged") {
        const { name, labels, defaultLabels, deletionProtection, settings } = snapshot;
        const changes = { name, labels, defaultLabels, deletionProtection, settings };
        const record = await backend.driver.updateSnapshot(resumed, changes, locked);
        return { state: "ready" as const, record: locked.fresh.keepSnapshot(record) };
      }
      made = snapshot.id;
      const started = await backend.driver.createSnapshot(snapshot, volume, locked);
      if (started.state === "copying") copied = backend.ownCopies.begin(volume.id);
      locked.fresh.keepSnapshot(
        started.state === "ready"
          ? started.record
          : { ...snapshot, sizeBytes: volume.sizeBytes, phase: "creating", location: "" },
      );
      return { ...started, id: snapshot.id };
    });
    if (creation.state === "ready") return creation.record;
    await runCopyJob(backend, creation.job, action, signal);
    const record = await backend.exclusive(action, signal, async (locked) =>
      locked.fresh.keepSnapshot(await backend.driver.completeSnapshot(creation.id, locked)),
    );
    // The snapshot is whole: what is left of the job is removed with it at the latest.
    await backend.host.forgetJob(creation.job).catch(() => undefined);
    return record;
  } catch (error) {
    throw made === undefined ? error : await removeHalfMade(backend, "snapshot", made, error);
  } finally {
    copied();
  }
}

/** Renames and relabels. The snapshot must be there. */
export async function updateSnapshot(
  backend: Backend,
  uuid: string,
  identity: string,
  changes: SnapshotChanges,
  signal: AbortSignal | undefined,
): Promise<SnapshotRecord> {
  await backend.listingOf(identity);
  return backend.exclusive(`change snapshot ${uuid}`, signal, async (locked) => {
    requireWhole(backend, locked.fresh, "snapshot", uuid);
    const record = locked.fresh.snapshots.get(uuid);
    if (record === undefined) {
      throw new StorageError({
        kind: "SnapshotNotFound",
        action: `change snapshot ${uuid}`,
        reason: "There is no such snapshot on this backend",
        nextStep: "Refresh the state; a snapshot that was deleted behind its back is then planned anew",
      });
    }
    requireOwn(backend, "snapshot", record);
    if (changes.name !== undefined && changes.name !== record.name)
      requireFreeName(backend, changes.name, locked);
    return locked.fresh.keepSnapshot(await backend.driver.updateSnapshot(record, changes, locked));
  });
}

/** SNP-2, DEL-3. Absent is success, given the expected identity. */
export async function deleteSnapshot(
  backend: Backend,
  uuid: string,
  identity: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await backend.listingOf(identity);
  await backend.exclusive(`delete snapshot ${uuid}`, signal, async (locked) => {
    requireWhole(backend, locked.fresh, "snapshot", uuid);
    const record = locked.fresh.snapshots.get(uuid);
    if (record === undefined) return;
    requireOwn(backend, "snapshot", record);
    requireUnused(record, locked);
    await backend.host.forgetJob(backend.driver.copyJob(uuid), { stop: true });
    await backend.driver.deleteSnapshot(uuid, backend.owner, locked);
    locked.fresh.snapshots.delete(uuid);
  });
}

function requireFinished(volume: VolumeRecord): void {
  if (volume.phase !== "creating") return;
  throw new StorageError({
    kind: "VolumeIsBusy",
    action: `take a snapshot of volume "${volume.name}"`,
    reason: "The volume is not finished itself",
  });
}

function findResumable(
  backend: Backend,
  request: SnapshotRequest,
  locked: LockedBackend,
): SnapshotRecord | undefined {
  if (request.name === null) return undefined;
  for (const record of locked.fresh.snapshots.values()) {
    if (record.owner !== backend.owner || record.name !== request.name) continue;
    if (isResumable(backend, record) && record.volumeId === request.volumeId) return record;
    requireFreeName(backend, request.name, locked);
  }
  return undefined;
}

function requireFreeName(backend: Backend, name: string, locked: LockedBackend): void {
  for (const record of locked.fresh.snapshots.values()) {
    if (record.owner !== backend.owner || record.name !== name) continue;
    throw new StorageError({
      kind: "AlreadyExists",
      action: `take snapshot "${name}"`,
      reason: `Snapshot ${record.id} has that name already; names are unique on a backend`,
      nextStep: `To manage that snapshot, import it as "${backend.name}/${name}"; otherwise choose another name`,
      attribute: ["name"],
    });
  }
}

function newSnapshot(
  backend: Backend,
  request: SnapshotRequest,
  resumed: SnapshotRecord | undefined,
): NewSnapshot {
  const id = resumed?.id ?? randomUUID();
  return {
    id,
    name: request.name ?? `snapshot-${id.slice(0, 8)}`,
    owner: backend.owner,
    volumeId: request.volumeId,
    labels: request.labels,
    defaultLabels: request.defaultLabels,
    deletionProtection: request.deletionProtection,
    settings: request.settings,
    createdAt: resumed?.createdAt ?? new Date().toISOString(),
  };
}

function requireUnused(record: SnapshotRecord, locked: LockedBackend): void {
  const action = `delete snapshot "${record.name}"`;
  if (isProtected(record)) {
    throw new StorageError({
      kind: "DeletionProtected",
      action,
      reason: "It is protected against deletion",
      nextStep: "Set deletion_protection = false and apply that first",
      attribute: ["deletion_protection"],
    });
  }
  const copies = [...locked.fresh.volumes.values()].filter(
    ({ phase, source }) => phase === "creating" && source?.kind === "snapshot" && source.id === record.id,
  );
  if (copies.length > 0) {
    throw new StorageError({
      kind: "SnapshotIsBusy",
      action,
      reason: `It is being copied into ${describeObjects(copies)}`,
      nextStep: "Run again when the copy has ended",
    });
  }
}
