import { Writable } from "node:stream";
import {
  type Host,
  isStorageError,
  type JobReference,
  StorageError,
  type VolumeContent,
} from "../contract/index.ts";
import { copyScript, receiveScript, sendScript, sumScript } from "./scripts.ts";
import { StreamProgress } from "./stream-progress.ts";

/** One end of a transfer. */
export interface ContentOnHost {
  readonly host: Host;
  readonly content: VolumeContent;
}

export interface Transfer {
  /** For errors, a verb phrase. */
  readonly action: string;
  readonly source: ContentOnHost;
  /** At least as large; what it has beyond the source reads as zeros afterwards. */
  readonly target: ContentOnHost;
  /** What the copying is called on the target's host, where both are on one. */
  readonly job: JobReference;
  /** Of whom the copying is. A job of another token is another job, whose end says nothing of this one. */
  readonly token: string;
  readonly signal: AbortSignal | undefined;
  /** Told in words how far it has come, now and then. */
  readonly onProgress: (progress: string) => void;
}

/**
 * Copies a volume's content to another volume, and proves by checksums of both, each made on its own host, that they read
 * the same. On one host it is a detached job that a later call rejoins, and whose record is left
 * for who calls; between two, the content is streamed through this
 * machine, a few MiB at a time. Zeros are neither sent nor, where the target reads as zeros, written.
 *
 * Repeatable. Nothing may write to the source meanwhile.
 *
 * @throws StorageError `VolumeBackendError` in the tool's words, or what keeps the end from being known
 */
export async function transferContent(transfer: Transfer): Promise<void> {
  if (transfer.source.host === transfer.target.host) return copyOnHost(transfer);
  await streamBetween(transfer);
  await compare(transfer);
}

async function copyOnHost(transfer: Transfer): Promise<void> {
  const { action, source, target, job, token, signal, onProgress } = transfer;
  const { host } = target;
  const argv = [
    ...["sh", "-c", copyScript, "breezeblock"],
    ...[...placeOf(source.content), ...placeOf(target.content), modeOf(target.content), token],
  ];
  const { exitCode, stderr } = await host.runJob({ ...job, argv }, { action, signal, onProgress });
  if (exitCode === 0) return;
  // Asking again is to start it again, not to be told of this failure for ever.
  await host.forgetJob(job).catch(() => undefined);
  throw failure(action, host, exitCode, stderr);
}

async function streamBetween({ action, source, target, signal, onProgress }: Transfer): Promise<void> {
  const total = source.content.sizeBytes;
  const passing = new StreamProgress((offset) => onProgress(`copied ${offset} of ${total} bytes`));
  // Whatever ends one end ends the other.
  const broken = new AbortController();
  const ended = signal === undefined ? broken.signal : AbortSignal.any([signal, broken.signal]);
  const run = async (
    end: ContentOnHost,
    argv: readonly string[],
    streams: Parameters<Host["stream"]>[1],
  ): Promise<void> => {
    const { exitCode, stderr } = await end.host.stream(argv, streams, { signal: ended });
    if (exitCode !== 0) throw failure(action, end.host, exitCode, stderr);
  };
  const sending = run(source, script(sendScript, placeOf(source.content)), { stdout: passing }).then(() =>
    passing.end(),
  );
  const receiveArguments = [...placeOf(target.content), String(total), modeOf(target.content)];
  const receiving = run(target, script(receiveScript, receiveArguments), { stdin: passing });
  // Of two failures the receiver's comes first: a receiver that ends closes what the sender writes to.
  const ends = [receiving, sending].map((end) =>
    end.catch((error: unknown) => {
      broken.abort();
      throw error;
    }),
  );
  const failures = (await Promise.allSettled(ends)).flatMap((end) =>
    end.status === "rejected" ? [end.reason as unknown] : [],
  );
  if (failures.length === 0) return;
  // The other end was ended by us, and knows nothing of why.
  throw signal?.aborted === true
    ? failures[0]
    : (failures.find((error) => !isStorageError(error, "Cancelled")) ?? failures[0]);
}

async function compare({ action, source, target, signal, onProgress }: Transfer): Promise<void> {
  const total = target.content.sizeBytes;
  onProgress(`copied; comparing ${total} bytes`);
  const sums = await Promise.all(
    [source, target].map(async ({ host, content }) => {
      const chunks: Buffer[] = [];
      const stdout = new Writable({
        write(chunk: Buffer, _encoding, done) {
          chunks.push(chunk);
          done();
        },
      });
      const argv = script(sumScript, [...placeOf(content), String(total)]);
      const { exitCode, stderr } = await host.stream(argv, { stdout }, { signal });
      if (exitCode !== 0) throw failure(action, host, exitCode, stderr);
      return Buffer.concat(chunks).toString("latin1").trim();
    }),
  );
  const [one = "", other = ""] = sums;
  if (/^[0-9a-f]{64}$/.test(one) && one === other) return;
  throw failure(action, target.host, 1, Buffer.from(`the copy's checksum is ${other}, and not ${one}`));
}

function script(text: string, args: readonly string[]): readonly string[] {
  return ["sh", "-c", text, "breezeblock", ...args];
}

function placeOf({ format, path, proof, sizeBytes }: VolumeContent): readonly string[] {
  return [format, path, proof.path, proof.text, String(sizeBytes)];
}

function modeOf({ isZeroed }: VolumeContent): "sparse" | "whole" {
  return isZeroed ? "sparse" : "whole";
}

function failure(action: string, host: Host, exitCode: number, stderr: Buffer): StorageError {
  const words = stderr.toString().trim();
  return new StorageError({
    kind: "VolumeBackendError",
    action,
    reason: words === "" ? `The work on the host ended with exit status ${exitCode}` : words,
    host: host.host,
  });
}
