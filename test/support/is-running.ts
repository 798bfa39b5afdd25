import { findProcesses } from "../../src/embedded-host/processes.ts";

/** True while process `pid` lives; one that has ended and that nobody has waited for does not. */
export async function isRunning(pid: number): Promise<boolean> {
  const found = await findProcesses("", [pid]);
  if (found !== undefined) return found.includes(pid);
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
