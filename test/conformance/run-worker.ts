import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { WorkerTask } from "./worker.ts";

const program = fileURLToPath(new URL("worker.ts", import.meta.url));

export interface WorkerEnd {
  /** It ended itself as it was told to. */
  readonly killed: boolean;
  /** What it left, where it came to its end. */
  readonly ids: readonly string[];
}

/** Runs a task in a process of its own. Rejects, with what it printed, where it fails. */
export async function runWorker(task: WorkerTask): Promise<WorkerEnd> {
  const child = spawn(process.execPath, [program, JSON.stringify(task)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  const [code, signal] = await once(child, "close");
  if (signal === "SIGKILL") return { killed: true, ids: [] };
  if (code !== 0) throw new Error(`the process ended with ${code}: ${Buffer.concat(stderr)}`);
  return { killed: false, ids: JSON.parse(Buffer.concat(stdout).toString()) as string[] };
}
