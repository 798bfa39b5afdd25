import {
  type Attachment,
  type Inventory,
  type ObjectRecord,
  type SnapshotRecord,
  StorageError,
  snapshotsHolding,
  type VolumeRecord,
  volumesBeingMadeFrom,
} from "../../contract/index.ts";

/**
 * The rules by which the driver refuses, each from a listing made under the lock. All return when there is nothing to
 * refuse, and throw a `StorageError` otherwise; none does I/O.
 */

/** What stands under `id`, whole. Throws when it is damaged, absent (`undefined`) or another owner's. */
export function ownRecord<R extends ObjectRecord>(
  records: ReadonlyMap<string, R>,
  fresh: Inventory,
  id: string,
  owner: string,
  action: string,
): R | undefined {
  const damage = fresh.damaged.get(id);
  if (damage !== undefined) {
    throw new StorageError({
      kind: "VolumeBackendError",
      action,
      reason: damage.reason,
      nextStep: "Repair or remove the named file on the host; nothing was touched.",
    });
  }
  const record = records.get(id);
  if (record !== undefined && record.owner !== owner) {
    throw new StorageError({
      kind: "NotOwned",
      action,
      reason: `it belongs to the owner ${JSON.stringify(record.owner)}, not to ${JSON.stringify(owner)}`,
      nextStep: "Import it into a configuration with that owner, or leave it alone.",
    });
  }
  return record;
}

/** A create is repeated with the same intent, or it is another object's. */
export function refuseDifferent(same: boolean, action: string): void {
  if (same) return;
  throw new StorageError({
    kind: "AlreadyExists",
    action,
    reason: "an object of that id with another size, provisioning or source exists already",
  });
}

/** An object that is not ready can only be finished or deleted, and one that is going only be deleted. */
export function refuseUnfinished(
  record: Pick<ObjectRecord, "id" | "name" | "phase"> & Pick<VolumeRecord, "restoring">,
  kind: "volume" | "snapshot",
  action: string,
): void {
  refuseRestoring(record, action);
  if (record.phase !== "creating" && record.phase !== "deleting") return;
  const isCreating = record.phase === "creating";
  throw new StorageError({
    kind: kind === "volume" ? "VolumeIsBusy" : "SnapshotIsBusy",
    action,
    reason: `${describe(kind, record)} is ${isCreating ? "still being made" : "being deleted"}`,
    nextStep: isCreating ? "Let its creation finish, or delete it." : "Let its deletion finish.",
  });
}

/** A run that has slept must not end a restore that others have ended, or begun anew, meanwhile. */
export function refuseOvertaken(
  record: Pick<VolumeRecord, "restoring" | "restoringMark">,
  snapshotId: string,
  mark: string,
  action: string,
): void {
  if (record.restoring === snapshotId && record.restoringMark === mark) return;
  throw new StorageError({
    kind: "VolumeIsBusy",
    action,
    reason: "another run has ended, or given up, what this one began",
    nextStep: "Run again to see what there is now.",
  });
}

/** A volume that is being put back to a snapshot is neither the old nor the restored one. */
function refuseRestoring(
  record: Pick<ObjectRecord, "id" | "name"> & Pick<VolumeRecord, "restoring">,
  action: string,
): void {
  if (record.restoring === undefined) return;
  throw new StorageError({
    kind: "VolumeIsBusy",
    action,
    reason: `${describe("volume", record)} is being put back to snapshot ${record.restoring}`,
    nextStep: "Run the restore again, so that it is finished.",
  });
}

/** What is put back takes the place of a volume; one that others made is to be given back as it is, not replaced. */
export function refuseReplacing({
  adoptedFrom,
  name,
  id,
}: Pick<VolumeRecord, "adoptedFrom" | "name" | "id">): void {
  if (adoptedFrom === undefined) return;
  throw new StorageError({
    kind: "NotSupported",
    action: `put ${describe("volume", { name, id })} back to a snapshot`,
    reason: `it was adopted from ${adoptedFrom}, and another would have to take its place, which it could not be given back in`,
    nextStep: "Make a new volume of the snapshot: source = { snapshot_id = … }.",
    attribute: ["restore"],
  });
}

/** DEL-3. Protection is for data: what was never finished holds none. */
export function refuseProtected(record: ObjectRecord, action: string): void {
  if (!record.deletionProtection || record.phase === "creating") return;
  throw new StorageError({
    kind: "DeletionProtected",
    action,
    reason: "it is protected against deletion",
    nextStep: "Set deletion_protection = false and apply that first.",
  });
}

/** DEL-2. */
export function refuseInUse(volume: VolumeRecord, fresh: Inventory, action: string): void {
  const users = [
    ...volume.attachments.map(describeAttachment),
    ...snapshotsHolding(volume.id, fresh).map((snapshot) => describe("snapshot", snapshot)),
    ...copiesFromVolume(fresh, volume.id),
  ];
  if (users.length === 0) return;
  throw new StorageError({
    kind: "VolumeIsBusy",
    action,
    reason: `it is needed by ${users.join(", ")}`,
    nextStep: "Detach it and delete its snapshots first.",
  });
}

/** A copy that is under way reads the volume without the lock. */
export function refuseCopied(volume: VolumeRecord, fresh: Inventory, action: string): void {
  const copies = copiesFromVolume(fresh, volume.id);
  if (copies.length === 0) return;
  throw new StorageError({
    kind: "VolumeIsBusy",
    action,
    reason: `it is being copied to ${copies.join(", ")}`,
    nextStep: "Let the copy finish, or delete what it makes.",
  });
}

/** SNP-2. */
export function refuseSnapshotInUse(snapshot: SnapshotRecord, fresh: Inventory, action: string): void {
  const volumes = [...fresh.volumes.values()];
  const restored = volumes.find(({ restoring }) => restoring === snapshot.id);
  if (restored !== undefined) {
    throw new StorageError({
      kind: "SnapshotIsBusy",
      action,
      reason: `${describe("volume", restored)} is being put back to it`,
      nextStep: "Run the restore again, so that it is finished.",
    });
  }
  const copies = volumesBeingMadeFrom({ kind: "snapshot", id: snapshot.id }, fresh).map((volume) =>
    describe("volume", volume),
  );
  if (copies.length === 0) return;
  throw new StorageError({
    kind: "SnapshotIsBusy",
    action,
    reason: `it is being copied to ${copies.join(", ")}`,
    nextStep: "Let the copy finish, or delete what it makes.",
  });
}

/** ATT-1. */
export function refuseSecondAttachment(others: readonly Attachment[], action: string): void {
  const [first] = others;
  if (first === undefined) return;
  throw new StorageError({
    kind: "VolumeIsBusy",
    action,
    reason: `it is attached already: ${others.map(describeAttachment).join(", ")}`,
    nextStep: "Detach it there first, or set multiattach = true on the volume.",
  });
}

function copiesFromVolume(fresh: Inventory, id: string): readonly string[] {
  return [
    ...[...fresh.snapshots.values()]
      .filter((snapshot) => snapshot.phase === "creating" && snapshot.volumeId === id)
      .map((snapshot) => describe("snapshot", snapshot)),
    ...volumesBeingMadeFrom({ kind: "volume", id }, fresh).map((volume) => describe("volume", volume)),
  ];
}

export function describe(kind: "volume" | "snapshot", record: Pick<ObjectRecord, "name" | "id">): string {
  return `${kind} ${JSON.stringify(record.name)} (${record.id})`;
}

export function describeAttachment(attachment: Attachment): string {
  const { host, initiator, nqn, ip } = attachment.connector;
  return `attachment ${attachment.id} (${attachment.mode}) of ${host ?? initiator ?? nqn ?? ip ?? "an unnamed host"}`;
}
