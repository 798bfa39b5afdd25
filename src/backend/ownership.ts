import {
  type Inventory,
  isStorageError,
  type ObjectRecord,
  type SnapshotRecord,
  StorageError,
  type VolumeRecord,
} from "../contract/index.ts";
import type { Backend } from "./backend.ts";

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
    !backend.known.has(record.id)
  );
}

/** Protection is for data: what was never finished holds none, and could not be removed otherwise. */
export function isProtected(record: ObjectRecord): boolean {
  return record.deletionProtection && record.phase !== "creating";
}

/** @throws StorageError `VolumeBackendError` when the object is damaged: neither there nor gone. */
export function requireWhole(
  backend: Backend,
  inventory: Inventory,
  kind: "volume" | "snapshot",
  uuid: string,
): void {
  const damage = inventory.damaged.get(uuid);
  if (damage === undefined) return;
  throw new StorageError({
    kind: "VolumeBackendError",
    action: `read ${kind} ${uuid}`,
    reason: damage.reason,
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

/**
 * After a failed create: removes what it made, where that is certain, and tells what to throw: `error` itself when
 * nothing is left, a `HalfMadeError` otherwise.
 */
export async function removeHalfMade(
  backend: Backend,
  kind: "volume" | "snapshot",
  uuid: string,
  error: unknown,
): Promise<unknown> {
  if (isInterruption(error)) return new HalfMadeError(uuid, error);
  try {
    await backend.exclusive(`remove the unfinished ${kind} ${uuid}`, undefined, async (locked) => {
      await backend.host.forgetJob(backend.driver.copyJob(uuid), { stop: true });
      if (kind === "volume") {
        await backend.driver.deleteVolume(uuid, backend.owner, locked);
        locked.fresh.volumes.delete(uuid);
      } else {
        await backend.driver.deleteSnapshot(uuid, backend.owner, locked);
        locked.fresh.snapshots.delete(uuid);
      }
    });
    return error;
  } catch {
    return new HalfMadeError(uuid, error);
  }
}

/** Whoever has the object's records: for messages that list objects. */
export function describeObjects(records: readonly (VolumeRecord | SnapshotRecord)[]): string {
  return records.map(({ id, name }) => `"${name}" (${id})`).join(", ");
}
