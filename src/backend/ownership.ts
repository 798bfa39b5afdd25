import {
  type Inventory,
  isStorageError,
  type ObjectRecord,
  type SnapshotRecord,
  StorageError,
  type VolumeRecord,
} from "../contract/index.ts";
import type { Backend } from "./backend.ts";
import { moveOf } from "./migration-marks.ts";

/** A create that failed and left something on the host that only a delete of `uuid` removes. */
export class HalfMadeError extends Error {
  readonly uuid: string;

  constructor(uuid: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = "HalfMadeError";
    this.uuid = uuid;
  }
}

/**
 * Whether a create may take up `record` as its own unfinished work: no state holds it as far as anybody can know.
 * Without an owner nothing is ever resumed.
 */
export function isResumable(backend: Backend, record: ObjectRecord): boolean {
  return (
    backend.owner !== "" &&
    record.owner === backend.owner &&
    (record.phase === "creating" || record.phase === "unacknowledged") &&
    // What a move has made is that volume's.
    moveOf(record) === undefined &&
    !backend.known.has(record.id)
  );
}

/** Protection is for data: what was never finished, or is being cleared, holds none, and must be removable. */
export function isProtected(record: ObjectRecord): boolean {
  return record.deletionProtection && isUsable(record);
}

/** Whether there is data in it: not so before it is finished, and not any more once its deletion has begun. */
export function isUsable({ phase }: ObjectRecord): boolean {
  return phase !== "creating" && phase !== "deleting";
}

/** @throws StorageError when all that can be done with the object is to finish or remove it */
export function requireUsable(
  action: string,
  kind: "volume" | "snapshot",
  record: ObjectRecord & Pick<VolumeRecord, "restoring">,
): void {
  requireNotRestoring(`${action} ${kind} "${record.name}"`, record);
  if (isUsable(record)) {
    requireNotMoving(action, kind, record);
    return;
  }
  throw new StorageError({
    kind: kind === "volume" ? "VolumeIsBusy" : "SnapshotIsBusy",
    action: `${action} ${kind} "${record.name}"`,
    reason:
      record.phase === "creating" ? `The ${kind} is not finished itself` : `The ${kind} is being deleted`,
  });
}

/** @throws StorageError when the volume is being put back to a snapshot, and nobody knows what it holds */
export function requireNotRestoring(action: string, { restoring }: Pick<VolumeRecord, "restoring">): void {
  if (restoring === undefined) return;
  throw new StorageError({
    kind: "VolumeIsBusy",
    action,
    reason: `It is being put back to snapshot ${restoring}, and that was not finished`,
    nextStep:
      "Apply again with the same restore block, so that it is finished; with the trigger that was there before it is taken back, where that is possible",
  });
}

/** @throws StorageError `VolumeIsBusy` when the volume's content is being moved to another backend */
export function requireNotMoving(action: string, kind: "volume" | "snapshot", record: ObjectRecord): void {
  const mark = moveOf(record);
  if (mark?.direction !== "to") return;
  throw new StorageError({
    kind: kind === "volume" ? "VolumeIsBusy" : "SnapshotIsBusy",
    action: `${action} ${kind} "${record.name}"`,
    reason: `It is being moved to backend "${mark.backend}"`,
    nextStep:
      "Apply the volume's configuration, so that the move is finished, or taken back where the old backend is written again",
  });
}

/** @throws StorageError `VolumeBackendError` when the object is damaged, or may be: neither there nor gone. */
export function requireWhole(
  backend: Backend,
  inventory: Inventory,
  kind: "volume" | "snapshot",
  uuid: string,
): void {
  requireUndamaged(backend, inventory, kind, uuid);
  const { unidentified } = inventory;
  if (unidentified === undefined || inventory.volumes.has(uuid) || inventory.snapshots.has(uuid)) return;
  throw neitherThereNorGone(backend, kind, uuid, `${unidentified}; it may be this one`);
}

/** The same of what is not expected to be there yet. */
export function requireUndamaged(
  backend: Backend,
  inventory: Inventory,
  kind: "volume" | "snapshot",
  uuid: string,
): void {
  const damage = inventory.damaged.get(uuid);
  if (damage !== undefined) throw neitherThereNorGone(backend, kind, uuid, damage.reason);
}

function neitherThereNorGone(
  backend: Backend,
  kind: "volume" | "snapshot",
  uuid: string,
  reason: string,
): StorageError {
  return new StorageError({
    kind: "VolumeBackendError",
    action: `read ${kind} ${uuid}`,
    reason,
    nextStep:
      "Nothing was changed, and it does not count as deleted. Repair it on the host, or move its files away",
    backend: backend.name,
    host: backend.host.host,
  });
}

/** DEL-3. @throws StorageError `NotOwned` */
export function requireOwn(backend: Backend, kind: "volume" | "snapshot", record: ObjectRecord): void {
  if (record.owner === backend.owner) return;
  const owned = record.owner === "" ? "nobody (it was made without an owner)" : `owner "${record.owner}"`;
  throw new StorageError({
    kind: "NotOwned",
    action: `use ${kind} "${record.name}" (${record.id})`,
    reason: `It belongs to ${owned}, and this configuration ${backend.owner === "" ? "has no owner" : `is owner "${backend.owner}"`}`,
    nextStep:
      record.owner === ""
        ? "Leave the provider's owner unset, as it was when this was made; an owner cannot be given to what is there already"
        : `Use the configuration whose state holds it; if that is this one, set the provider's owner to "${record.owner}" again`,
    backend: backend.name,
    host: backend.host.host,
  });
}

/** Whether `error` leaves open how far the work came, with nothing to be done about it now. */
export function isInterruption(error: unknown): boolean {
  return isStorageError(error, "Cancelled", "OperationInDoubt", "BackendUnreachable");
}

/** Whoever has the object's records: for messages that list objects. */
export function describeObjects(records: readonly (VolumeRecord | SnapshotRecord)[]): string {
  return records.map(({ id, name }) => `"${name}" (${id})`).join(", ");
}
