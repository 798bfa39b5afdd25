import {
  type Executor,
  type FillTarget,
  type Host,
  type ImageSource,
  type JobReference,
  type JobSpec,
  StorageError,
} from "../contract/index.ts";
import { withoutQuery } from "./remote-image.ts";

/** A directory of images on the host, and how much may be in it. */
export interface ImageCache {
  readonly directory: string;
  readonly maxBytes: number;
}

/** A volume that is being filled from an image. */
export interface Filling {
  /** For errors, a verb phrase. */
  readonly action: string;
  readonly host: Host;
  readonly volumeId: string;
  readonly sizeBytes: number;
  readonly image: ImageSource;
  /** Names this attempt: the one that the image's place belongs to fills the volume. */
  readonly run: string;
  readonly target: FillTarget;
  /** Where images are kept for volumes to come; `null`: they are not. */
  readonly cache: ImageCache | null;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (line: string) => void;
  /** Told at once what somebody may want to know afterwards. */
  readonly onNews: (line: string) => void;
}

const purposes = ["stage", "clone", "take", "keep", "fill"] as const;

/** The jobs that work for a volume while it is filled; first the one that fetches its image, which any run may go on with. */
export function fillingJobs(volumeId: string, directory: string): readonly JobReference[] {
  return purposes.map((purpose) => fillingJob(purpose, volumeId, directory));
}

export function fillingJob(
  purpose: (typeof purposes)[number],
  volumeId: string,
  directory: string,
): JobReference {
  return { id: `${purpose}-${volumeId}`, directory };
}

/** Runs or rejoins a job. What failed is forgotten: asking again is to start it again. */
export async function runStep(
  filling: Filling,
  job: JobSpec,
): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> {
  const { action, host, signal, onProgress } = filling;
  const { exitCode, stdout, stderr } = await host.runJob(job, { action, signal, onProgress });
  if (exitCode !== 0) await host.forgetJob(job).catch(() => undefined);
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

/** That a disk is larger than the volume that it is for. */
export function tooLarge(action: string, image: ImageSource, bytes: number, sizeBytes: number): StorageError {
  const gib = 1024 ** 3;
  return new StorageError({
    kind: "ImageUnacceptable",
    action,
    reason: `The disk in ${withoutQuery(image.reference)} has ${bytes} bytes, and the volume ${sizeBytes}`,
    nextStep: `Write size = ${Math.ceil(bytes / gib)} or more`,
    attribute: ["size"],
  });
}

export function unacceptable(
  filling: Pick<Filling, "action" | "image">,
  words: string,
  nextStep?: string,
  attribute?: string,
): StorageError {
  return new StorageError({
    kind: "ImageUnacceptable",
    action: filling.action,
    reason: `The image ${withoutQuery(filling.image.reference)} is not used: ${words.trim()}`,
    nextStep,
    attribute: ["source", "image", ...(attribute === undefined ? [] : [attribute])],
  });
}

/** Gives what `parse` makes of an image. What it throws becomes `ImageUnacceptable`. */
export function understand<T>(filling: Pick<Filling, "action" | "image">, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw unacceptable(filling, error instanceof Error ? error.message : String(error));
  }
}

export function hostFailure(host: Pick<Executor, "host">, action: string, words: string): StorageError {
  return new StorageError({
    kind: "VolumeBackendError",
    action,
    reason: words.trim() || "the command gave no reason",
    host: host.host,
  });
}

export function directoryOf({ target, volumeId }: Filling): string {
  return `${target.stagingDirectory}/${volumeId}`;
}

export function script(text: string, ...args: readonly string[]): readonly string[] {
  return ["sh", "-c", text, "breezeblock", ...args];
}
