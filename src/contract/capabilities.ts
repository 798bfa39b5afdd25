import type {
  JobReference,
  LockedContext,
  NewVolume,
  OperationContext,
  VolumeDriver,
  Work,
} from "./driver.ts";
import type { Provisioning, SnapshotRecord, VolumeRecord } from "./volume.ts";

/** One putting back of a volume, however many runs it takes. */
export interface Revert {
  /** Tells it from every other one; on the record as `restoringMark` from the first step to the last. */
  readonly mark: string;
  /** The volume's settings once it is done, written in the step that ends it. */
  readonly settings: VolumeRecord["settings"];
}

/**
 * Puts a volume back to one of its snapshots, which stays. Only where the size has not changed since. From its first step to
 * its last the volume's record says `restoring`; it holds the old or the snapshot's content once that is gone.
 */
export interface RevertsToSnapshot {
  /** Refuses what this driver never does; no I/O. Throws `NotSupported`. */
  checkRevert(volume: VolumeRecord): void;
  /**
   * Begins, or goes on with what a killed run began. The volume has no attachment and no export.
   */
  revertToSnapshot(
    volume: VolumeRecord,
    snapshot: SnapshotRecord,
    revert: Revert,
    context: LockedContext,
  ): Promise<Work<VolumeRecord>>;
  /**
   * After the job ended with exit code 0. `working` again where what the job made is not there. Where the record has another
   * mark or none, the volume is somebody else's to change by now: `VolumeIsBusy`.
   */
  completeRevert(
    volume: VolumeRecord,
    snapshot: SnapshotRecord,
    revert: Revert,
    context: LockedContext,
  ): Promise<Work<VolumeRecord>>;
  /** After a failure: takes `restoring` off the record where the volume's content is whole; leaves it otherwise. */
  abandonRevert(volume: VolumeRecord, context: LockedContext): Promise<VolumeRecord>;
}

/** What others made on a backend's storage, and nothing of ours is on. */
export interface ManageableVolume {
  /** The technology's own name for it: `vg0/oldlv`, `disk.img`. */
  readonly reference: string;
  /** The UUID that it has once it is managed; made of what the storage itself tells it by, so always the same. */
  readonly id: string;
  readonly sizeBytes: number;
  readonly pool: string;
  readonly provisioning: Provisioning;
  /** As of the record, once it is managed. */
  readonly location: string;
  /** RFC 3339, UTC; 1970 where the storage does not know. */
  readonly createdAt: string;
  readonly safe_to_manage: boolean;
  /** Why not, as a clause that goes on from "it": `is mounted at /srv`. */
  readonly reason_not_safe: string | null;
}

export interface ManageableListing {
  /** The identity of the storage that this was found on, `null` when it has none yet. */
  readonly identity: string | null;
  readonly volumes: readonly ManageableVolume[];
  /** Whether processes of other users could have some of them open unseen, as the login is not root. */
  readonly hidesUsers?: boolean | undefined;
}

/** A volume to be managed: the record that it gets, with the size and the kind that it was found with. */
export type ExistingVolume = Omit<NewVolume, "pool" | "source">;

/**
 * Takes volumes that others made under management, and gives them back. Managing writes records and nothing else: data,
 * names and other people's tags stay as they are.
 */
export interface ManagesExisting {
  listManageableVolumes(context: OperationContext): Promise<ManageableListing>;
  /**
   * Writes our records for what stands at `reference`, after a fresh look has shown that it still has the id and the
   * size of `volume`, and is safe to manage. Managed already, by the same owner: its record. The phase is
   * `acknowledged` from the beginning, so that no create can take somebody's data for unfinished work of its own.
   */
  manageExisting(volume: ExistingVolume, reference: string, context: LockedContext): Promise<VolumeRecord>;
  /** Takes our records away from what was made by others, and leaves it as it was found. In use: `VolumeIsBusy`. */
  unmanage(volume: VolumeRecord, context: LockedContext): Promise<void>;
}

/** How the bytes of a volume are got at on its host, by whoever works on them there. */
export interface VolumeContent {
  /** `block`: a device of the device mapper; `raw`: a file of just the bytes; `qcow2`: a file that holds them in that format. */
  readonly format: "block" | "raw" | "qcow2";
  /** Absolute. */
  readonly path: string;
  readonly sizeBytes: number;
  /** What was never written reads as zeros, so that zeros need not be written to a volume that is being filled. */
  readonly isZeroed: boolean;
  /**
   * What proves that this is still the volume: `text` is the whole of a device's `dm/uuid`, and part of the first line of
   * the file `path` for files.
   */
  readonly proof: { readonly path: string; readonly text: string };
}

/** Makes volumes whose content somebody else writes, and tells where the content of volumes is. */
export interface FillsVolumes {
  /**
   * A volume in phase `creating`, empty, to be filled at `contentOf` and then made whole by `completeVolume`. Repeatable:
   * one that is being filled is returned as it is. The space of one that is given up instead is cleared as a volume's.
   */
  reserveVolume(volume: NewVolume, context: LockedContext): Promise<VolumeRecord>;
  /** Where the content is read or, of a volume in phase `creating`, written; makes it appear there. */
  contentOf(volume: VolumeRecord, context: LockedContext): Promise<VolumeContent>;
  /** Where a snapshot's content is read; makes it appear there. */
  snapshotContentOf(snapshot: SnapshotRecord, context: LockedContext): Promise<VolumeContent>;
  /** Names the job that may be filling the volume of that id; one of `jobsOf`. No I/O. */
  fillingJob(id: string): JobReference;
}

export function fillsVolumes(driver: VolumeDriver): driver is VolumeDriver & FillsVolumes {
  return "reserveVolume" in driver;
}

export function revertsToSnapshot(driver: VolumeDriver): driver is VolumeDriver & RevertsToSnapshot {
  return "revertToSnapshot" in driver;
}

export function managesExisting(driver: VolumeDriver): driver is VolumeDriver & ManagesExisting {
  return "manageExisting" in driver;
}
