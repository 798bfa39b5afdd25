import {
  type Executor,
  type Host,
  type ImageContent,
  type ImageDestination,
  isStorageError,
  type JobReference,
  type JobSpec,
  StorageError,
  type VolumeContent,
} from "../contract/index.ts";
import {
  copyOutCodes,
  copyOutScript,
  discardScript,
  fetchScript,
  removeScript,
  sizeScript,
} from "./copy-out-scripts.ts";
import { script } from "./filling.ts";
import { LocalFile, localSize, removeLocal } from "./local-file.ts";
import { wordsOf } from "./remote-image.ts";

/** How much is fetched between two words about it. */
const reportedBytes = 64 * 1024 ** 2;

/** An image that content is being copied out to. */
export interface CopyOut {
  /** For errors, a verb phrase. */
  readonly action: string;
  readonly host: Host;
  /** The image's. The same for the same source and destination, so that a later run finds what an earlier one began. */
  readonly id: string;
  readonly destination: ImageDestination;
  readonly stagingDirectory: string;
  readonly jobsDirectory: string;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (line: string) => void;
}

type Place = Pick<CopyOut, "id" | "stagingDirectory" | "jobsDirectory">;

/** The job that writes an image on the storage host. */
export function copyOutJob({ id, jobsDirectory }: Pick<Place, "id" | "jobsDirectory">): JobReference {
  return { id: `image-${id}`, directory: jobsDirectory };
}

/**
 * IMG-3. Writes the content to the destination, which gets its name once it is whole; a killed run's work is gone on with. Nothing
 * may write to the source meanwhile. What was needed on the way stays until `discardCopyOut`.
 *
 * @throws StorageError `AlreadyExists` where a file of that name is there
 */
export async function copyOut(copy: CopyOut, source: VolumeContent): Promise<ImageContent> {
  const { action, host, destination, id, stagingDirectory, signal, onProgress } = copy;
  const { place, file, format, isCompressed } = destination;
  const argv = script(
    copyOutScript,
    ...[stagingDirectory, id, place === "path" ? file : "", format, isCompressed ? "compressed" : "plain"],
    ...[source.format, source.path, source.proof.path, source.proof.text, String(source.sizeBytes)],
  );
  const job: JobSpec = { ...copyOutJob(copy), argv };
  const { exitCode, stdout, stderr } = await host.runJob(job, { action, signal, onProgress });
  if (exitCode !== 0) {
    // Asking again is to start it again, not to be told of this failure for ever.
    await host.forgetJob(job).catch(() => undefined);
    if (exitCode === copyOutCodes.exists) throw fileExists(action, destination, host);
    throw failure(action, host, stderr.toString(), exitCode === copyOutCodes.missing ? [place] : undefined);
  }
  const content = parseContent(stdout.toString("latin1"));
  if (content === undefined) throw failure(action, host, "the job did not tell what it has written");
  if (place === "local_path") await fetchHere(copy, content);
  return content;
}

/**
 * Removes what a copy needed on the host, its job's record included; an image in its place stays.
 *
 * @param running `stop`: a job that still runs is ended. `refuse`: then, and where the image is being fetched, nothing is touched
 * @throws StorageError where it is still being worked on
 */
export async function discardCopyOut(
  place: Place,
  host: Host,
  executor: Executor,
  running: "stop" | "refuse",
): Promise<void> {
  await host.forgetJob(copyOutJob(place), { stop: running === "stop" });
  const { exitCode, stderr } = await executor.run(script(discardScript, place.stagingDirectory, place.id));
  if (exitCode !== 0) throw failure(`remove what image ${place.id} needed`, host, stderr.toString());
}

/** The size in bytes of the file at an image's place; `undefined` where none is there. */
export async function imageSize(
  { place, file }: Pick<ImageDestination, "place" | "file">,
  host: Executor,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  if (place === "local_path") {
    return localSize(file).catch((error: unknown) => {
      throw localFailure(`look at the image ${file}`, error);
    });
  }
  const { exitCode, stdout, stderr } = await host.run(script(sizeScript, file), { signal });
  if (exitCode === copyOutCodes.missing) return undefined;
  if (exitCode === 0) return Number(stdout.toString("latin1").trim());
  throw failure(`look at the image ${file}`, host, stderr.toString(), [place]);
}

/**
 * Removes an image's file, where it is still what was written. Absent is success.
 *
 * @throws StorageError `NotOwned` where it is another file by now
 */
export async function removeImage(
  copy: Pick<CopyOut, "action" | "host" | "id" | "destination" | "jobsDirectory" | "signal">,
  expected: ImageContent,
): Promise<void> {
  const { action, host, destination, signal } = copy;
  const { place, file } = destination;
  if (place === "local_path") {
    try {
      await removeLocal(file, expected, signal ?? new AbortController().signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== undefined) throw localFailure(action, error);
      throw differs(action, file, wordsOf(error), undefined);
    }
    return;
  }
  const argv = script(removeScript, file, String(expected.sizeBytes), expected.sha256);
  const job: JobSpec = { id: `${copyOutJob(copy).id}-removal`, directory: copy.jobsDirectory, argv };
  const { exitCode, stderr } = await host.runJob(job, { action, signal });
  await host.forgetJob(job).catch(() => undefined);
  if (exitCode === copyOutCodes.differs) throw differs(action, file, stderr.toString(), host.host);
  if (exitCode !== 0) throw failure(action, host, stderr.toString());
}

/** The refusal of a place where a file is already. */
export function fileExists(
  action: string,
  { place, file }: Pick<ImageDestination, "place" | "file">,
  host: Pick<Executor, "host">,
): StorageError {
  return new StorageError({
    kind: "AlreadyExists",
    action,
    reason: `There is a file ${file} already, and images are never written over anything`,
    nextStep: "Choose another name, or move that file away",
    ...(place === "path" && { host: host.host }),
    attribute: [place],
  });
}

/** A little at a time, from the host to this machine. */
async function fetchHere(copy: CopyOut, content: ImageContent): Promise<void> {
  const { action, host, destination, id, stagingDirectory, signal, onProgress } = copy;
  let file: LocalFile;
  try {
    file = await LocalFile.create(destination.file, id);
  } catch (error) {
    throw localFailure(action, error);
  }
  let reported = 0;
  const sink = file.sink((bytes) => {
    if (bytes - reported < reportedBytes) return;
    reported = bytes;
    onProgress(`fetched ${bytes} of ${content.sizeBytes} bytes`);
  });
  try {
    const argv = script(fetchScript, stagingDirectory, id);
    const { exitCode, stderr } = await host.stream(argv, { stdout: sink }, { signal });
    if (exitCode !== 0) throw failure(action, host, stderr.toString());
    await new Promise<void>((done, fail) => sink.once("error", fail).end(done));
    await file.finish(content);
  } catch (error) {
    if (isStorageError(error)) throw error;
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw fileExists(action, destination, host);
    throw localFailure(action, error);
  } finally {
    await file.close();
  }
}

function parseContent(output: string): ImageContent | undefined {
  const [, size, sha256] = /(?:^|\n)image (\d+) ([0-9a-f]{64})\n$/.exec(output) ?? [];
  return size === undefined || sha256 === undefined ? undefined : { sizeBytes: Number(size), sha256 };
}

function differs(action: string, file: string, words: string, host: string | undefined): StorageError {
  return new StorageError({
    kind: "NotOwned",
    action,
    reason: `The file ${file} is not the one that was written: ${words.trim()}`,
    nextStep:
      'It was not touched. Write deletion_policy = "retain" and apply that first, or remove the file yourself',
    host,
  });
}

function failure(
  action: string,
  host: Pick<Executor, "host">,
  words: string,
  attribute?: readonly string[],
): StorageError {
  return new StorageError({
    kind: "VolumeBackendError",
    action,
    reason: words.trim() || "the command gave no reason",
    host: host.host,
    attribute,
  });
}

function localFailure(action: string, error: unknown): StorageError {
  return new StorageError({
    kind: "VolumeBackendError",
    action,
    reason: `On the machine that runs the engine: ${wordsOf(error)}`,
    attribute: ["local_path"],
    cause: error,
  });
}
