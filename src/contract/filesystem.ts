import type { ConsumerDevice } from "./connector.ts";
import type { OperationContext } from "./driver.ts";
import type { AccessMode } from "./volume.ts";

export type FilesystemType = "ext4" | "xfs";

/** A file system as its consumer wants it. */
export interface FilesystemRequest {
  readonly type: FilesystemType;
  /** Absolute. Made where it is missing. */
  readonly mountPoint: string;
  /** Without `_netdev`, `nofail` and `ro`, which are added. */
  readonly mountOptions: readonly string[];
  readonly mkfsOptions: readonly string[];
  readonly label: string | null;
  /** Of the file system's root: `user` or `user:group`; `null` leaves it. */
  readonly owner: string | null;
  /** Of the file system's root, octal: `0750`; `null` leaves it. */
  readonly mode: string | null;
  readonly access: AccessMode;
}

/** Where a volume's device is mounted on a consumer, and what its boot does. */
export interface MountState {
  readonly volumeId: string;
  readonly mountPoint: string;
  readonly type: string;
  readonly access: AccessMode;
  /** Mounted now. */
  readonly isMounted: boolean;
  /** Our line is in fstab. */
  readonly isInFstab: boolean;
  /** Mounted, and lets itself be looked at: a file system that shut itself down after I/O errors does not. */
  readonly answers: boolean;
  /** How many errors the file system has recorded since it was last checked, as far as it counts them (ext4). */
  readonly errors: number;
  /** Of the file system, as `statfs` counts blocks; `null` where it is not mounted. */
  readonly sizeBytes: number | null;
}

/** File systems on a consumer. Executors are the consumer's, and hold its lock for calls that change something. */
export interface Filesystems {
  /** Mounts and fstab lines of our volumes, by volume id, with one command. */
  mounts(
    devices: ReadonlyMap<string, ConsumerDevice>,
    context: OperationContext,
  ): Promise<ReadonlyMap<string, readonly MountState[]>>;
  /**
   * Makes the file system where that is safe. With `format` absent, or where a file system of the wanted type is there,
   * nothing is ever written. Otherwise the device must carry no signature and read as zeros at both ends; then
   * `format.record` is awaited, and mkfs runs.
   *
   * @throws StorageError `InvalidInput` or `VolumeBackendError` saying what was found there instead
   */
  ensureFilesystem(
    device: ConsumerDevice,
    request: FilesystemRequest,
    format: { readonly record: () => Promise<void> } | undefined,
    context: OperationContext,
  ): Promise<void>;
  /** Mounts by the by-id path, now and at boot; sets owner and mode of the root. Idempotent. */
  mount(device: ConsumerDevice, request: FilesystemRequest, context: OperationContext): Promise<MountState>;
  /** Grows the mounted file system to its device. Idempotent. */
  grow(device: ConsumerDevice, request: FilesystemRequest, context: OperationContext): Promise<MountState>;
  /**
   * Unmounts every mount of the volume's device and removes its fstab lines. Already gone is success.
   *
   * @param device `null` where it is gone: what is still mounted of it is found by the fstab lines
   * @param unreachable what becomes of a mount whose storage cannot be reached: `abandon` ends it, and what is unwritten is
   * lost; `keep` leaves it, and is an error
   * @throws StorageError `VolumeIsBusy` naming the processes that use it; then it is still mounted
   */
  unmount(
    volumeId: string,
    device: ConsumerDevice | null,
    unreachable: "abandon" | "keep",
    context: OperationContext,
  ): Promise<void>;
}
