import { readFileSync } from "node:fs";
import { waitFor } from "../support/wait-for.ts";

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in clock ticks since the machine did (field 22 of /proc/PID/stat). */
  readonly startTime: string;
  /** Which start of the machine that was. */
  readonly bootId: string;
}

/** The identity of the running process `pid`; undefined when there is none, or only its remains. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the command's name in parentheses, which may hold anything.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const startTime = fields[18];
    if (startTime === undefined || state === "Z" || state === "X") return undefined;
    return { pid, startTime, bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim() };
  } catch {
    return undefined;
  }
}

export function isAlive(process: ProcessIdentity): boolean {
  const now = identify(process.pid);
  return now?.startTime === process.startTime && now.bootId === process.bootId;
}

/** Kills `process` and waits until it is gone; gone already is fine. */
export async function killProcess(identity: ProcessIdentity): Promise<void> {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
  await waitFor(`The end of process ${identity.pid}`, () => !isAlive(identity));
}
