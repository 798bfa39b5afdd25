import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

/** Environment variable that marks everything which an embedded host started; inherited across `setsid`. */
export const markerVariable = "BREEZEBLOCK_EMBEDDED_HOST";

const termGraceMs = 1_000;
const killGraceMs = 5_000;
const pollMs = 10;

/**
 * Ends every process that carries `marker` in its environment, and the children of those: first by
 * SIGTERM, after a second by SIGKILL, until none is left. Where there is no /proc only the process
 * groups of `leaders` are signalled.
 */
export async function endProcesses(marker: string, leaders: ReadonlySet<number>): Promise<void> {
  await signalUntilGone(marker, leaders, "SIGTERM", termGraceMs);
  await signalUntilGone(marker, leaders, "SIGKILL", killGraceMs);
}

async function signalUntilGone(
  marker: string,
  leaders: ReadonlySet<number>,
  name: NodeJS.Signals,
  graceMs: number,
): Promise<void> {
  const signalled = new Set<number>();
  for (const end = Date.now() + graceMs; Date.now() < end; await delay(pollMs)) {
    const pids = (await findProcesses(marker)) ?? [...leaders].map((pid) => -pid);
    let alive = false;
    for (const pid of pids) {
      // SIGTERM once each, so that a process is not disturbed while it cleans up.
      const sent = signalled.has(pid) ? send(pid, 0) : send(pid, name);
      signalled.add(pid);
      alive ||= sent;
    }
    if (!alive) return;
  }
}

/** The living processes with `marker` in their environment and their descendants; undefined without /proc. */
export async function findProcesses(marker: string): Promise<number[] | undefined> {
  const names = await readdir("/proc").catch(() => undefined);
  const pids = names?.filter((name) => /^\d+$/.test(name)).map(Number);
  if (pids === undefined || pids.length === 0) return undefined;
  const processes = (await Promise.all(pids.map((pid) => inspect(pid, marker)))).filter(
    (process) => process !== undefined,
  );
  const found = new Set(processes.filter((process) => process.marked).map((process) => process.pid));
  // A child may have cleared its environment (`env -i`, sudo). Parents come to be in `found` by repetition.
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const { pid, parent } of processes) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

async function inspect(pid: number, marker: string) {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // proc(5): pid (comm) state ppid …, where comm may hold spaces and parentheses.
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === "Z" || state === "X") return undefined;
    const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
    const marked = environment.split("\0").includes(`${markerVariable}=${marker}`);
    return { pid, parent: Number(parent), marked };
  } catch {
    // Gone between the listing and the look.
    return undefined;
  }
}

function send(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    // ESRCH: gone. EPERM: changed its user; only the one who let it do so can end it.
    return false;
  }
}
