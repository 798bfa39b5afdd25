import type { LockedContext, VolumeDriver } from "./driver.ts";
import type { SnapshotRecord, VolumeRecord } from "./volume.ts";

/** Puts a volume back to one of its snapshots. Only where the size has not changed since. */
export interface RevertsToSnapshot {
  revertToSnapshot(volume: VolumeRecord, snapshot: SnapshotRecord, context: LockedContext): Promise<void>;
}

export interface ManageableVolume {
  /** The technology's own name for it. */
  readonly reference: string;
  readonly sizeBytes: number;
  readonly safe_to_manage: boolean;
  readonly reason_not_safe: string | null;
}

/** Takes volumes that others made under management, and gives them back. */
export interface ManagesExisting {
  listManageableVolumes(context: LockedContext): Promise<readonly ManageableVolume[]>;
  manageExistingGetSize(reference: string, context: LockedContext): Promise<number>;
  manageExisting(volume: VolumeRecord, reference: string, context: LockedContext): Promise<VolumeRecord>;
  unmanage(volume: VolumeRecord, context: LockedContext): Promise<void>;
}

/** Crash-consistent snapshots of several volumes at one point in time. */
export interface SnapshotsGroups {
  createGroupSnapshot(
    snapshots: readonly SnapshotRecord[],
    context: LockedContext,
  ): Promise<readonly SnapshotRecord[]>;
}

export function revertsToSnapshot(driver: VolumeDriver): driver is VolumeDriver & RevertsToSnapshot {
  return "revertToSnapshot" in driver;
}

export function managesExisting(driver: VolumeDriver): driver is VolumeDriver & ManagesExisting {
  return "manageExisting" in driver;
}

export function snapshotsGroups(driver: VolumeDriver): driver is VolumeDriver & SnapshotsGroups {
  return "createGroupSnapshot" in driver;
}
