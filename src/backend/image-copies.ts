import {
  fillsVolumes,
  type Host,
  type ImageContent,
  type ImageDestination,
  type Inventory,
  isStorageError,
  type SnapshotRecord,
  StorageError,
  type VolumeContent,
  type VolumeRecord,
} from "../contract/index.ts";
import { derivedId } from "../drivers/shared/derived-id.ts";
import {
  type CopyOut,
  copyOut,
  copyOutJob,
  discardCopyOut,
  fileExists,
  imageSize,
  removeImage,
} from "../images/index.ts";
import type { Backend, LockedBackend } from "./backend.ts";
import { imagesOf, isSnapshot, markImages, placeOfCopy } from "./image-marks.ts";
import { describeObjects, isInterruption, requireOwn, requireUsable, requireWhole } from "./ownership.ts";
import { progressTeller } from "./progress.ts";
import { attachedTo } from "./volumes.ts";

/** What an image is made of. */
export interface ImageOrigin {
  readonly kind: "volume" | "snapshot";
  readonly uuid: string;
}

export interface CopiedImage extends ImageContent {
  /** A UUID, made of what the image is copied from and where to: the same copy asked for again has the same. */
  readonly id: string;
}

/**
 * IMG-3: copies a volume or a snapshot out to an image, or finishes what a killed run began of that. Until it has ended, what would
 * change or remove the source is refused. What fails leaves nothing.
 *
 * @throws StorageError `VolumeIsBusy` where somebody may write to the volume; `AlreadyExists` where a file is in the place
 */
export async function createImage(
  backend: Backend,
  origin: ImageOrigin,
  destination: ImageDestination,
  signal: AbortSignal | undefined,
): Promise<CopiedImage> {
  const listing = await backend.listing();
  const identity = listing.identity ?? "";
  const id = imageId(backend, origin, destination, identity);
  const known = recordOf(origin, listing);
  const title = known === undefined ? origin.uuid : describeObjects([known]);
  const action = `copy ${origin.kind} ${title} to the image ${destination.file}`;
  const copy: CopyOut = {
    ...placeOfCopy(backend, id, identity),
    ...{ action, host: backend.host, destination, signal },
    onProgress: progressTeller(backend.log, action),
  };
  let copied = (): void => undefined;
  let isMarked = false;
  try {
    const source = await backend.exclusive(action, signal, async (locked) => {
      const record = requireCopyable(backend, origin, locked.fresh, action);
      const isBegun = imagesOf(record).includes(id);
      if (!isBegun) {
        // What a job of an earlier copy reported must not be taken for the end of this one.
        await discardCopyOut(copy, backend.host, locked.executor, "stop");
        if ((await imageSize(destination, locked.executor, signal)) !== undefined) {
          throw fileExists(action, destination, backend.host);
        }
        await markImages(backend, record, [...imagesOf(record), id], locked);
      }
      isMarked = true;
      if (origin.kind === "volume") copied = backend.ownCopies.begin(origin.uuid);
      return contentOf(backend, origin, locked);
    });
    const content = await copyOut(copy, source);
    await backend.exclusive(action, signal, (locked) => finish(backend, origin, copy, content, locked));
    await discardCopyOut(copy, backend.host, backend.host, "stop").catch(() => undefined);
    return { id, ...content };
  } catch (error) {
    if (isMarked && !isInterruption(error)) await abandon(backend, origin, copy).catch(() => undefined);
    throw isStorageError(error) ? error.with({ backend: backend.name, host: backend.host.host }) : error;
  } finally {
    copied();
  }
}

/** Whether an unfinished copy of just this is on the host: what is in its place may be its own. As the run's listing says. */
export async function isImageBegun(
  backend: Backend,
  origin: ImageOrigin,
  destination: ImageDestination,
): Promise<boolean> {
  const listing = await backend.listing();
  const record = recordOf(origin, listing);
  return (
    record !== undefined &&
    imagesOf(record).includes(imageId(backend, origin, destination, listing.identity ?? ""))
  );
}

/**
 * The size in bytes of the file at an image's place, or `undefined` when it is certain that none is there.
 *
 * @throws StorageError `BackendIdentityMismatch` where the host is not the one that the image was made on
 */
export async function findImageFile(
  backend: Backend,
  destination: Pick<ImageDestination, "place" | "file">,
  identity: string,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  if (destination.place === "path") await backend.listingOf(identity);
  return imageSize(destination, backend.host, signal);
}

/** Removes an image's file, where it is still what was written. Absent is success. @throws StorageError `NotOwned` */
export async function deleteImage(
  backend: Backend,
  image: CopiedImage,
  destination: ImageDestination,
  identity: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (destination.place === "path") await backend.listingOf(identity);
  const { jobsDirectory } = placeOfCopy(backend, image.id, identity);
  const action = `remove the image ${destination.file}`;
  const host: Host = backend.host;
  await removeImage({ action, host, id: image.id, destination, jobsDirectory, signal }, image);
}

/** @throws StorageError naming what stands against copying the source to an image now */
export function requireCopyable(
  backend: Backend,
  { kind, uuid }: ImageOrigin,
  inventory: Inventory,
  action: string,
): VolumeRecord | SnapshotRecord {
  const attribute = [`${kind}_id`];
  const refuse = (
    kindOfError:
      | "VolumeIsBusy"
      | "VolumeNotFound"
      | "SnapshotNotFound"
      | "VolumeBackendError"
      | "NotSupported",
    reason: string,
    nextStep?: string,
  ) =>
    new StorageError({
      kind: kindOfError,
      action,
      reason,
      nextStep,
      backend: backend.name,
      host: backend.host.host,
      attribute,
    });
  if (!fillsVolumes(backend.driver)) {
    throw refuse("NotSupported", `Technology ${backend.driver.technology} does not copy volumes to images`);
  }
  requireWhole(backend, inventory, kind, uuid);
  const record = recordOf({ kind, uuid }, inventory);
  if (record === undefined) {
    throw refuse(
      kind === "volume" ? "VolumeNotFound" : "SnapshotNotFound",
      `There is no such ${kind} on this backend`,
    );
  }
  requireOwn(backend, kind, record);
  requireUsable("copy", kind, record);
  if (isSnapshot(record)) {
    if (record.broken === undefined) return record;
    throw refuse(
      "VolumeBackendError",
      `Its content is lost: ${record.broken}`,
      "Use another snapshot; all that can be done with this one is to delete it",
    );
  }
  const writers = record.attachments.filter(({ mode }) => mode === "rw");
  if (writers.length === 0) return record;
  throw refuse(
    "VolumeIsBusy",
    `It is attached for writing to ${attachedTo({ ...record, attachments: writers })}, and a copy of what changes meanwhile is of no moment at all`,
    "Take a snapshot of it (breezeblock_snapshot), and copy that: snapshot_id in place of volume_id",
  );
}

function recordOf(
  { kind, uuid }: ImageOrigin,
  { volumes, snapshots }: Inventory,
): VolumeRecord | SnapshotRecord | undefined {
  return kind === "volume" ? volumes.get(uuid) : snapshots.get(uuid);
}

function imageId(
  backend: Backend,
  { kind, uuid }: ImageOrigin,
  { place, file, format, isCompressed }: ImageDestination,
  identity: string,
): string {
  const how = isCompressed ? "compressed" : "plain";
  return derivedId("image", backend.owner, identity, kind, uuid, place, file, format, how);
}

async function contentOf(
  backend: Backend,
  { uuid }: ImageOrigin,
  locked: LockedBackend,
): Promise<VolumeContent> {
  const { driver } = backend;
  if (!fillsVolumes(driver)) throw new Error("was asked before");
  const volume = locked.fresh.volumes.get(uuid);
  if (volume !== undefined) return driver.contentOf(volume, locked);
  const snapshot = locked.fresh.snapshots.get(uuid);
  if (snapshot === undefined) throw new Error(`source ${uuid} vanished from the listing`);
  return driver.snapshotContentOf(snapshot, locked);
}

/** Takes the mark away, where it has been there all the time: otherwise the source may have changed under the copy. */
async function finish(
  backend: Backend,
  origin: ImageOrigin,
  copy: CopyOut,
  content: ImageContent,
  locked: LockedBackend,
): Promise<void> {
  const record = recordOf(origin, locked.fresh);
  const images = record === undefined ? [] : imagesOf(record);
  if (record !== undefined && images.includes(copy.id)) {
    await markImages(
      backend,
      record,
      images.filter((id) => id !== copy.id),
      locked,
    );
    return;
  }
  await removeImage({ ...copy, signal: undefined }, content);
  throw new StorageError({
    kind: origin.kind === "volume" ? "VolumeIsBusy" : "SnapshotIsBusy",
    action: copy.action,
    reason: `The ${origin.kind} was changed by another run meanwhile; the copy was removed`,
    nextStep: "Apply again",
  });
}

/** Nothing is left of a copy that failed. */
async function abandon(backend: Backend, origin: ImageOrigin, copy: CopyOut): Promise<void> {
  await backend.host.forgetJob(copyOutJob(copy), { stop: true });
  await backend.exclusive(`leave ${origin.kind} ${origin.uuid}`, undefined, async (locked) => {
    await discardCopyOut(copy, backend.host, locked.executor, "stop");
    const record = recordOf(origin, locked.fresh);
    const images = record === undefined ? [] : imagesOf(record);
    if (record === undefined || !images.includes(copy.id)) return;
    const others = images.filter((id) => id !== copy.id);
    await markImages(backend, record, others, locked);
  });
}
