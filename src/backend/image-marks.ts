import {
  isStorageError,
  type ObjectRecord,
  type SnapshotRecord,
  StorageError,
  type VolumeRecord,
} from "../contract/index.ts";
import { discardCopyOut } from "../images/index.ts";
import type { Backend, LockedBackend } from "./backend.ts";
import { imagesKey } from "./migration-marks.ts";

/**
 * What the host keeps of copies to images, among the settings of the volume or snapshot that is copied: the images' ids,
 * from before anything is read until nothing is read any more. A copy that was given up leaves its mark, which whatever
 * it stands in the way of takes away, once nobody works on the copy any more.
 */
export function imagesOf({ settings }: Pick<ObjectRecord, "settings">): readonly string[] {
  const images = settings[imagesKey];
  return Array.isArray(images) ? images.filter((id): id is string => typeof id === "string") : [];
}

export function withImages(
  { settings }: Pick<ObjectRecord, "settings">,
  images: readonly string[],
): ObjectRecord["settings"] {
  const { [imagesKey]: _, ...others } = settings;
  return images.length === 0 ? others : { ...others, [imagesKey]: [...images] };
}

/** Writes down which images are being copied out of a volume or snapshot. */
export async function markImages(
  backend: Backend,
  record: VolumeRecord | SnapshotRecord,
  images: readonly string[],
  locked: LockedBackend,
): Promise<void> {
  const settings = withImages(record, images);
  if (isSnapshot(record)) {
    locked.fresh.keepSnapshot(await backend.driver.updateSnapshot(record, { settings }, locked));
  } else {
    locked.fresh.keepVolume(await backend.driver.updateVolume(record, { settings }, locked));
  }
}

/** Where what belongs to an image that is being copied out is found on the host. */
export function placeOfCopy(backend: Backend, id: string, identity: string) {
  return {
    id,
    stagingDirectory: backend.driver.stagingDirectory(identity),
    jobsDirectory: backend.driver.jobsOf(id)[0]?.directory ?? "",
  };
}

/**
 * Takes care of copies to images that stand in the way of what changes or removes their source: what a killed run has left of
 * one is removed.
 *
 * @returns the record without marks
 * @throws StorageError `VolumeIsBusy`, `SnapshotIsBusy` where one is still being made
 */
export async function settleImages<R extends VolumeRecord | SnapshotRecord>(
  backend: Backend,
  record: R,
  action: string,
  locked: LockedBackend,
): Promise<R> {
  const images = imagesOf(record);
  if (images.length === 0) return record;
  for (const id of images) {
    try {
      const place = placeOfCopy(backend, id, locked.fresh.identity ?? "");
      await discardCopyOut(place, backend.host, locked.executor, "refuse");
    } catch (error) {
      if (!isStorageError(error, "VolumeBackendError")) throw error;
      throw new StorageError({
        kind: isSnapshot(record) ? "SnapshotIsBusy" : "VolumeIsBusy",
        action,
        reason: `It is being copied to the image ${backend.name}/${id}: ${error.reason}`,
        nextStep: "Run again when the copy has ended",
        backend: backend.name,
        host: backend.host.host,
      });
    }
  }
  await markImages(backend, record, [], locked);
  return { ...record, settings: withImages(record, []) };
}

export function isSnapshot(record: VolumeRecord | SnapshotRecord): record is SnapshotRecord {
  return "volumeId" in record;
}
