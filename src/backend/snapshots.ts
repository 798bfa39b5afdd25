import { randomUUID } from "node:crypto";
import {
  type JsonValue,
  type MetadataChanges,
  type NewSnapshot,
  type SnapshotRecord,
  StorageError,
  volumesBeingMadeFrom,
} from "../contract/index.ts";
import type { Backend, LockedBackend } from "./backend.ts";
import { carryOut, carryOutCreation } from "./carry-out.ts";
import { withRun } from "./creation-runs.ts";
import { settleImages } from "./image-marks.ts";
import { keepingMarks } from "./migration-marks.ts";
import {
  describeObjects,
  isProtected,
  isResumable,
  requireOwn,
  requireUsable,
  requireWhole,
} from "./ownership.ts";
import { always, type Confirmation, removal } from "./removal.ts";
import { hasName, requireVolume } from "./volumes.ts";

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

export type SnapshotChanges = Omit<MetadataChanges, "phase" | "multiattach" | "formatted">;

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
  return carryOutCreation(backend, {
    kind: "snapshot",
    action,
    signal,
    plan(locked, run) {
      const volume = requireVolume(backend, request.volumeId, locked, "take a snapshot of");
      requireUsable("take a snapshot of", "volume", volume);
      const resumed = findResumable(backend, request, locked);
      const snapshot = newSnapshot(backend, request, resumed, run);
      return {
        id: snapshot.id,
        resume:
          resumed?.phase === "unacknowledged"
            ? () => backend.driver.updateSnapshot(resumed, metadataOf(snapshot), locked)
            : undefined,
        takeOver:
          resumed?.phase === "creating"
            ? () => backend.driver.updateSnapshot(resumed, { settings: snapshot.settings }, locked)
            : undefined,
        begin: () => backend.driver.createSnapshot(snapshot, volume, locked),
        reservation: { ...snapshot, sizeBytes: volume.sizeBytes, phase: "creating", location: "" },
        copyOf: volume.id,
      };
    },
    complete: (id, locked) => backend.driver.completeSnapshot(id, locked),
    keep: (listing, record) => listing.keepSnapshot(record),
  });
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
  return backend.exclusive(`change snapshot ${uuid}`, signal, (locked) =>
    changeSnapshot(backend, uuid, changes, locked),
  );
}

/** The same under the lock. */
export async function changeSnapshot(
  backend: Backend,
  uuid: string,
  changes: SnapshotChanges,
  locked: LockedBackend,
): Promise<SnapshotRecord> {
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
  requireUsable("change", "snapshot", record);
  requireNotRestoredTo(`change snapshot "${record.name}"`, record, locked);
  if (changes.name !== undefined && changes.name !== record.name)
    requireFreeSnapshotName(backend, changes.name, locked);
  const { settings } = changes;
  const kept = settings === undefined ? changes : { ...changes, settings: keepingMarks(record, settings) };
  return locked.fresh.keepSnapshot(await backend.driver.updateSnapshot(record, kept, locked));
}

/** SNP-2, DEL-3. Absent is success, given the expected identity. */
export async function deleteSnapshot(
  backend: Backend,
  uuid: string,
  identity: string,
  signal: AbortSignal | undefined,
  confirm: Confirmation = always,
): Promise<void> {
  const known = (await backend.listingOf(identity)).snapshots.get(uuid);
  const { begin, complete } = removal(backend, "snapshot", uuid);
  await carryOut(backend, {
    action: `delete snapshot ${known === undefined ? uuid : describeObjects([known])}`,
    signal,
    async begin(locked) {
      await confirm(locked);
      requireWhole(backend, locked.fresh, "snapshot", uuid);
      const record = locked.fresh.snapshots.get(uuid);
      if (record === undefined) return { state: "ready", record: null };
      requireOwn(backend, "snapshot", record);
      if (record.phase !== "deleting") {
        requireUnusedSnapshot(record, locked);
        await settleImages(backend, record, `delete snapshot "${record.name}"`, locked);
      }
      return begin(locked);
    },
    complete,
  });
}

function findResumable(
  backend: Backend,
  request: SnapshotRequest,
  locked: LockedBackend,
): SnapshotRecord | undefined {
  if (request.name === null) return undefined;
  for (const record of locked.fresh.snapshots.values()) {
    if (!hasName(backend, record, request.name)) continue;
    if (isResumable(backend, record) && record.volumeId === request.volumeId) return record;
    requireFreeSnapshotName(backend, request.name, locked);
  }
  return undefined;
}

/** @throws StorageError `AlreadyExists` when a snapshot of the same owner has that name */
export function requireFreeSnapshotName(backend: Backend, name: string, locked: LockedBackend): void {
  for (const record of locked.fresh.snapshots.values()) {
    if (!hasName(backend, record, name)) continue;
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
  run: string,
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
    settings: withRun(request.settings, run),
    createdAt: resumed?.createdAt ?? new Date().toISOString(),
  };
}

function metadataOf(snapshot: NewSnapshot): SnapshotChanges {
  const { name, labels, defaultLabels, deletionProtection, settings } = snapshot;
  return { name, labels, defaultLabels, deletionProtection, settings };
}

/** SNP-2. @throws StorageError when the snapshot is protected, or needed by something else */
export function requireUnusedSnapshot(record: SnapshotRecord, locked: LockedBackend): void {
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
  requireNotRestoredTo(action, record, locked);
  const copies = volumesBeingMadeFrom({ kind: "snapshot", id: record.id }, locked.fresh);
  if (copies.length > 0) {
    throw new StorageError({
      kind: "SnapshotIsBusy",
      action,
      reason: `It is being copied into ${describeObjects(copies)}`,
      nextStep: "Run again when the copy has ended",
    });
  }
}

/** @throws StorageError `SnapshotIsBusy` when a volume is being put back to it: it may be used up, to be made again as it was */
function requireNotRestoredTo(action: string, { id }: SnapshotRecord, locked: LockedBackend): void {
  const restored = [...locked.fresh.volumes.values()].filter(({ restoring }) => restoring === id);
  if (restored.length === 0) return;
  throw new StorageError({
    kind: "SnapshotIsBusy",
    action,
    reason: `Being put back to it is not finished: ${describeObjects(restored)}`,
    nextStep: "Apply again with the same restore block, so that it is finished",
  });
}
