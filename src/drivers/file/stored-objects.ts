import {
  type ObjectRecord,
  type SnapshotRecord,
  StorageError,
  type VolumeRecord,
} from "../../contract/index.ts";
import { ownRecord } from "../shared/refusals.ts";
import type { Operation } from "./directory.ts";
import { type ObjectKind, type ObjectName, objectName } from "./layout.ts";
import type { Sidecar, SnapshotSidecar, VolumeSidecar } from "./sidecar.ts";

/** What a change is decided from and proven against. */
export interface StoredObject<S extends Sidecar, R extends ObjectRecord> {
  readonly object: ObjectName;
  readonly sidecar: S;
  /** The metadata file's first line as it stands. */
  readonly line: string;
  readonly record: R;
}

export type StoredVolume = StoredObject<VolumeSidecar, VolumeRecord>;
export type StoredSnapshot = StoredObject<SnapshotSidecar, SnapshotRecord>;

/** The volume as the listing has it. Throws when it is not there, damaged or another owner's. */
export function ownVolume(operation: Operation, { id, owner }: VolumeRecord): StoredVolume {
  const { listing } = operation;
  ownRecord(listing.volumes, listing, id, owner, operation.action);
  return storedVolume(operation, id);
}

/** The snapshot as the listing has it. Throws when it is not there, damaged or another owner's. */
export function ownSnapshot(operation: Operation, { id, owner }: SnapshotRecord): StoredSnapshot {
  const { listing } = operation;
  ownRecord(listing.snapshots, listing, id, owner, operation.action);
  return storedSnapshot(operation, id);
}

/** The same, whoever owns it. */
export function storedVolume(operation: Operation, id: string): StoredVolume {
  const object = objectName("volume", id);
  const record = operation.listing.volumes.get(id);
  const stored = operation.listing.sidecars.get(object);
  if (record === undefined || stored?.sidecar.kind !== "volume") throw notFound("volume", id, operation);
  return { object, record, sidecar: stored.sidecar, line: stored.line };
}

/** The same, whoever owns it. */
export function storedSnapshot(operation: Operation, id: string): StoredSnapshot {
  const object = objectName("snapshot", id);
  const record = operation.listing.snapshots.get(id);
  const stored = operation.listing.sidecars.get(object);
  if (record === undefined || stored?.sidecar.kind !== "snapshot") throw notFound("snapshot", id, operation);
  return { object, record, sidecar: stored.sidecar, line: stored.line };
}

/** Copying a file that takes content from another would make a copy that is not independent. */
export function refuseNotFlat(source: StoredVolume | StoredSnapshot, operation: Operation): void {
  if (!operation.listing.notFlat.has(source.object)) return;
  throw new StorageError({
    kind: "VolumeBackendError",
    action: operation.action,
    reason: `${source.record.location} takes content from another file (backing or external data file)`,
    nextStep: `Make it whole with "qemu-img rebase -b ''" or "qemu-img convert" first.`,
  });
}

/** A damaged object is not "not found": it is there, and cannot be used. */
function notFound(kind: ObjectKind, id: string, { action, listing }: Operation): StorageError {
  const damage = listing.damaged.get(id);
  if (damage !== undefined) {
    return new StorageError({ kind: "VolumeBackendError", action, reason: damage.reason });
  }
  return new StorageError({
    kind: kind === "volume" ? "VolumeNotFound" : "SnapshotNotFound",
    action,
    reason: `there is no ${kind} ${id} in the directory`,
  });
}
