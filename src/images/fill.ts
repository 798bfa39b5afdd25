import { pipeline, Transform } from "node:stream";
import {
  type Executor,
  type Host,
  type ImageSource,
  isStorageError,
  type JobSpec,
  StorageError,
} from "../contract/index.ts";
import { cloneImage, keepImage } from "./cache.ts";
import {
  directoryOf,
  type Filling,
  fillingJob,
  hostFailure,
  runStep,
  script,
  tooLarge,
  unacceptable,
  understand,
} from "./filling.ts";
import { checkInfo, diskBytes, headBytes, parseHead, stagingLimit } from "./inspect.ts";
import { openImage, pathOnHost, withoutQuery, wordsOf } from "./remote-image.ts";
import {
  cleanScript,
  exitCodes,
  fillScript,
  headScript,
  infoScript,
  prepareScript,
  stageScript,
  uploadScript,
} from "./scripts.ts";

/** How much is sent between two words about it. */
const reportedBytes = 64 * 1024 ** 2;

type Fetch = {
  readonly mode: "url" | "path" | "uploaded";
  readonly reference: string;
  readonly bytes: number | null;
};

/**
 * Makes room for a volume's image on the host, for this run and no other from now on, and removes what was left there for
 * volumes that are not being made. What was fetched there stays; what was sent there may be another file than this machine's.
 * Under the backend's lock, from a fresh listing.
 *
 * @param creating ids of all volumes in phase `creating`
 */
export async function prepareStaging(
  executor: Executor,
  directory: string,
  { volumeId, image, run }: Pick<Filling, "volumeId" | "image" | "run">,
  creating: readonly string[],
): Promise<void> {
  const fetched = image.place === "local_path" ? "discard" : "keep";
  const argv = script(prepareScript, directory, volumeId, run, fetched, ...creating);
  const result = await executor.run(argv, { stdin: curlConfig(image) });
  if (result.exitCode !== 0) throw hostFailure(executor, "make room for an image", result.stderr.toString());
}

/** Removes a volume's image from the host. Absent is success. */
export async function cleanStaging(host: Executor, directory: string, volumeId: string): Promise<void> {
  const result = await host.run(script(cleanScript, directory, volumeId));
  if (result.exitCode !== 0) throw hostFailure(host, "remove an image", result.stderr.toString());
}

/**
 * IMG-2. Fetches an image, from the storage host where that works and through this machine otherwise, proves it, and writes
 * it to the target. A run that was broken off is gone on with: what it fetched, or fetches still, is not fetched again.
 *
 * @throws StorageError `ImageUnacceptable`, before anything was written to the target
 */
export async function fillFromImage(filling: Filling): Promise<void> {
  const isCloned = await cloneImage(filling);
  if (isCloned) await stopFetching(filling);
  else await stage(filling);
  const bytes = await inspect(filling);
  if (!isCloned) await keepImage(filling);
  const { target, image, run } = filling;
  const reference = fillingJob("fill", filling.volumeId, target.jobsDirectory);
  const proof =
    target.kind === "device"
      ? [target.deviceUuid, "", target.isZeroed ? "zeroed" : "whole"]
      : [target.marker, target.identity, target.format];
  const argv = script(
    fillScript,
    ...[directoryOf(filling), run, image.format, String(bytes), target.kind, target.path, ...proof],
  );
  await requireEnd(filling, { ...reference, argv });
}

/** What a run before began to fetch is needed no more. */
async function stopFetching({ host, volumeId, target }: Filling): Promise<void> {
  await host.forgetJob(fillingJob("stage", volumeId, target.jobsDirectory), { stop: true });
}

async function stage(filling: Filling): Promise<void> {
  const { image, run } = filling;
  const path = pathOnHost(image);
  if (path !== null) return stageOnHost(filling, { mode: "path", reference: path, bytes: null });
  let here: string | undefined;
  if (image.place === "url") {
    const failure = await tryOnHost(filling);
    if (failure === undefined) return;
    here = failure;
    filling.onProgress(`not fetched from the storage host (${failure}); sending it there`);
  }
  const bytes = await upload(filling, here);
  await stageOnHost(filling, { mode: "uploaded", reference: run, bytes });
}

/** Why the host cannot fetch the image itself; `undefined` when it has. */
async function tryOnHost(filling: Filling): Promise<string | undefined> {
  const job = stageJob(filling, { mode: "url", reference: "", bytes: null });
  const { exitCode, stderr } = await runStep(filling, job);
  if (exitCode === 0) return undefined;
  await filling.host.forgetJob(job);
  if (exitCode === exitCodes.notFetched) return stderr.trim() || "curl said nothing";
  throw stagingFailure(filling, exitCode, stderr);
}

async function stageOnHost(filling: Filling, fetch: Fetch): Promise<void> {
  const { exitCode, stderr } = await runStep(filling, stageJob(filling, fetch));
  if (exitCode !== 0) throw stagingFailure(filling, exitCode, stderr);
}

function stageJob(filling: Filling, { mode, reference, bytes }: Fetch): JobSpec {
  const { image, target, volumeId, sizeBytes } = filling;
  const job = fillingJob(mode === "uploaded" ? "take" : "stage", volumeId, target.jobsDirectory);
  const argv = script(
    stageScript,
    ...[target.stagingDirectory, volumeId, mode, reference, bytes === null ? "" : String(bytes)],
    ...[image.checksum?.algorithm ?? "none", image.checksum?.digest ?? ""],
    ...[image.compression ?? "none", String(stagingLimit(sizeBytes))],
  );
  return { ...job, argv };
}

/** Sends the image through this machine, a little at a time, and returns how many bytes it has. */
async function upload(filling: Filling, onHost: string | undefined): Promise<number> {
  const { host, image, target, volumeId, sizeBytes } = filling;
  const limit = stagingLimit(sizeBytes);
  const signal = filling.signal ?? new AbortController().signal;
  let opened: Awaited<ReturnType<typeof openImage>>;
  try {
    opened = await openImage(image, signal);
  } catch (error) {
    throw unreadable(filling, wordsOf(error), onHost);
  }
  if (opened.bytes !== null && opened.bytes > limit) {
    opened.stream.destroy();
    throw unacceptable(
      filling,
      `it has ${opened.bytes} bytes, and ${limit} is the most for a volume of this size`,
    );
  }
  let sent = 0;
  let reported = 0;
  let failure: Error | undefined;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sent += chunk.length;
      if (sent - reported >= reportedBytes) {
        reported = sent;
        filling.onProgress(`sent ${sent}${opened.bytes === null ? "" : ` of ${opened.bytes}`} bytes`);
      }
      done(sent > limit ? new Error(`it has more than ${limit} bytes`) : null, chunk);
    },
  });
  pipeline(opened.stream, counted, (error) => {
    failure = error ?? undefined;
  });
  const argv = script(uploadScript, target.stagingDirectory, volumeId, filling.run, String(limit));
  let result: Awaited<ReturnType<Host["stream"]>>;
  try {
    result = await host.stream(argv, { stdin: counted }, { signal });
  } catch (error) {
    opened.stream.destroy();
    if (failure === undefined || isStorageError(error, "Cancelled", "OperationInDoubt", "BackendUnreachable"))
      throw error;
    throw unreadable(filling, wordsOf(failure), onHost);
  }
  if (result.exitCode !== 0) throw hostFailure(host, filling.action, result.stderr.toString());
  if (opened.bytes !== null && sent !== opened.bytes) {
    throw unreadable(filling, `it ended after ${sent} of ${opened.bytes} bytes`, onHost);
  }
  return sent;
}

/** The size of the disk in bytes, once it is certain that it is harmless and fits. */
async function inspect(filling: Filling): Promise<number> {
  const { host, image, sizeBytes, signal } = filling;
  const directory = directoryOf(filling);
  const head = await host.run(script(headScript, `${directory}/disk`, String(headBytes)), { signal });
  if (head.exitCode !== 0) throw hostFailure(host, filling.action, head.stderr.toString());
  const bytes = understand(filling, () => {
    const found = parseHead(head.stdout);
    return diskBytes(image.format, found.head, found.bytes);
  });
  if (bytes > sizeBytes) throw tooLarge(filling.action, image, bytes, sizeBytes);
  if (image.format === "raw") return bytes;
  const info = await host.run(script(infoScript, directory), { signal, timeoutMs: 600_000 });
  if (info.exitCode === exitCodes.unacceptable) throw unacceptable(filling, info.stderr.toString().trim());
  if (info.exitCode !== 0) throw hostFailure(host, filling.action, info.stderr.toString());
  understand(filling, () => checkInfo(info.stdout.toString(), bytes));
  return bytes;
}

async function requireEnd(filling: Filling, job: JobSpec): Promise<void> {
  const { exitCode, stderr } = await runStep(filling, job);
  if (exitCode !== 0) throw hostFailure(filling.host, filling.action, stderr);
}

function stagingFailure(filling: Filling, exitCode: number, words: string): StorageError {
  if (exitCode === exitCodes.unacceptable) return unacceptable(filling, words);
  if (exitCode === exitCodes.checksum) {
    return unacceptable(
      filling,
      words,
      "Fetch it from where it was published, or correct the checksum",
      "checksum",
    );
  }
  if (exitCode === exitCodes.missing) return unreadable(filling, words.trim(), undefined);
  return hostFailure(filling.host, filling.action, words);
}

/** That an image cannot be read at all. */
function unreadable(
  { action, image, host }: Filling,
  words: string,
  onHost: string | undefined,
): StorageError {
  const onBoth = onHost === undefined ? words : `from the storage host: ${onHost}; from here: ${words}`;
  return new StorageError({
    kind: "InvalidInput",
    action,
    reason: `The image ${withoutQuery(image.reference)} cannot be read: ${onBoth}`,
    // What this machine cannot read has nothing to do with the host.
    host: image.place === "local_path" ? undefined : host.host,
    attribute: ["source", "image", image.place],
  });
}

/** In curl's own notation. Redirects of a https URL never lead to http. No part of a URL is a pattern. */
function curlConfig({ place, reference }: ImageSource): string {
  if (place !== "url" || /^file:/i.test(reference)) return "";
  const { href, protocol } = new URL(reference);
  const quoted = href.replace(/#.*$/, "").replace(/[\\"]/g, "\\$&");
  const allowed = protocol === "https:" ? "=https" : "=http,https";
  return `globoff\nurl = "${quoted}"\nproto = "${allowed}"\nproto-redir = "${allowed}"\n`;
}
