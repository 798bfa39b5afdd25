import {
  bytesPerGib,
  type ImageSource,
  type JsonValue,
  type NewVolume,
  type VolumeRecord,
} from "../contract/index.ts";
import {
  cleanStaging,
  fillFromImage,
  fillingJobs,
  type ImageCache,
  imageDiskBytes,
  prepareStaging,
} from "../images/index.ts";
import type { Backend, LockedBackend } from "./backend.ts";
import type { Filling } from "./carry-out.ts";
import { progressTeller } from "./progress.ts";

/** Whether a volume was made from an image, as its record keeps it. */
export function isFromImage({ settings }: Pick<VolumeRecord, "settings">): boolean {
  return settings["image"] !== undefined;
}

/** An image as it is kept with the volume, so that an import comes out whole: as users write it, without what is unset. */
export function imageSetting(image: ImageSource): Readonly<Record<string, JsonValue>> {
  const { place, reference, format, compression, checksum } = image;
  return {
    [place]: reference,
    format,
    ...(compression === null ? {} : { compression }),
    ...(checksum === null ? {} : { checksum: `${checksum.algorithm}:${checksum.digest}` }),
  };
}

/** Whether a volume was asked for from that image, or from none where there is none. */
export function isFromSame(
  { settings }: Pick<VolumeRecord, "settings">,
  image: ImageSource | undefined,
): boolean {
  const wanted = image === undefined ? null : imageSetting(image);
  return JSON.stringify(settings["image"] ?? null) === JSON.stringify(wanted);
}

/** The size of a volume that takes its image's, in bytes: whole GiB, as sizes are that users give. */
export async function sizeFromImage(
  backend: Backend,
  image: ImageSource,
  signal: AbortSignal | undefined,
  action: string,
): Promise<number> {
  const bytes = await imageDiskBytes(backend.host, image, signal, action);
  return Math.ceil(bytes / bytesPerGib) * bytesPerGib;
}

/** Makes the place for a volume's image this run's: what another one begins from now on does nothing there. */
export async function claimStaging(
  backend: Backend,
  { id }: Pick<NewVolume, "id">,
  image: ImageSource,
  run: string,
  locked: LockedBackend,
): Promise<void> {
  const directory = backend.driver.stagingDirectory(locked.fresh.identity ?? "");
  const creating = [...locked.fresh.volumes.values()].filter(({ phase }) => phase === "creating");
  const ids = creating.map((record) => record.id);
  await prepareStaging(locked.executor, directory, { volumeId: id, image, run }, ids);
}

/** IMG-2. Reserves the volume under the lock, and says how it is filled without it. */
export async function beginFilling(
  backend: Backend,
  { volume, image, run }: { readonly volume: NewVolume; readonly image: ImageSource; readonly run: string },
  locked: LockedBackend,
  action: string,
  signal: AbortSignal | undefined,
): Promise<Filling> {
  const { driver, host, log } = backend;
  const target = await driver.reserveForImage(volume, locked);
  await claimStaging(backend, volume, image, run, locked);
  const jobs = fillingJobs(volume.id, target.jobsDirectory);
  return {
    state: "filling",
    fill: () =>
      fillFromImage({
        ...{ action, host, image, run, target, signal },
        volumeId: volume.id,
        cache: cacheOf(backend, locked.fresh.identity ?? ""),
        sizeBytes: volume.sizeBytes,
        onProgress: progressTeller(log, action),
        onNews: (line) => log.info(`${action}: ${line}`),
      }),
    async clean() {
      await cleanStaging(host, target.stagingDirectory, volume.id);
      for (const job of jobs) await host.forgetJob(job);
    },
  };
}

function cacheOf({ settings, driver }: Backend, identity: string): ImageCache | null {
  const { imageCacheBytes: maxBytes } = settings;
  return maxBytes === undefined ? null : { directory: driver.imageCacheDirectory(identity), maxBytes };
}

/** Removes what was brought to the host for a volume that is, or was, filled from an image. */
export async function removeStaging(
  backend: Backend,
  { id }: Pick<VolumeRecord, "id">,
  identity: string,
): Promise<void> {
  await cleanStaging(backend.host, backend.driver.stagingDirectory(identity), id);
}
