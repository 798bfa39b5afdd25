import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "./wait-for.ts";

/**
 * Does `work` while no other process holds the lock `directory`; its `pid` file says who has it. One left
 * by a dead process is taken over. Fails when another process holds it for longer than `deadlineMs`.
 */
export async function holdingLock<T>(
  directory: string,
  what: string,
  deadlineMs: number,
  work: () => T | Promise<T>,
): Promise<T> {
  await waitFor(what, () => take(directory), { deadlineMs, intervalMs: 100 });
  try {
    return await work();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function take(directory: string): boolean {
  try {
    mkdirSync(directory);
    writeFileSync(join(directory, "pid"), String(process.pid));
    return true;
  } catch {
    if (isAbandoned(directory)) rmSync(directory, { recursive: true, force: true });
    return false;
  }
}

function isAbandoned(directory: string): boolean {
  try {
    process.kill(Number(readFileSync(join(directory, "pid"), "utf8")), 0);
    return false;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return true;
    // Without a pid yet: just made, unless its maker died in between.
    return (statSync(directory, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) < Date.now() - 10_000;
  }
}
