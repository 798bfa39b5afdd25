import { spawn } from "node:child_process";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Argument, type Host, StorageError } from "../../src/contract/index.ts";

/** As `Host.stream`, on this machine. */
export async function streamHere(
  argv: readonly Argument[],
  streams: Parameters<Host["stream"]>[1],
  options: Parameters<Host["stream"]>[2] = {},
): ReturnType<Host["stream"]> {
  const [command = "", ...args] = argv.map(String);
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], detached: true });
  const end = () => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  };
  options.signal?.addEventListener("abort", end, { once: true });
  if (options.signal?.aborted === true) end();
  child.stdin.on("error", () => {});
  if (streams.stdin === undefined) child.stdin.end();
  else streams.stdin.pipe(child.stdin);
  const stderr: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  const taken = pipeline(child.stdout, streams.stdout ?? new PassThrough().resume(), { end: false });
  taken.catch(() => {});
  const [exitCode] = await once(child, "close");
  options.signal?.removeEventListener("abort", end);
  if (options.signal?.aborted === true) {
    throw new StorageError({ kind: "Cancelled", action: "stream", reason: "stopped on request" });
  }
  await taken.catch(() => {});
  return { exitCode: typeof exitCode === "number" ? exitCode : 137, stderr: Buffer.concat(stderr) };
}
