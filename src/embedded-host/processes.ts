import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

/** Environment variable that marks everything which one host started; inherited across `setsid`. */
export const markerVariable = "BREEZEBLOCK_STARTED_BY";

const termGraceMs = 1_000;
const killGraceMs = 5_000;
const pollMs = 10;

/**
 * Ends the processes `roots`, those that carry `marker` in their environment, and the descendants of
 * both: by SIGTERM, after a second by SIGKILL, until none is left. Where there is no /proc, only the
 * process groups of `roots` are signalled. What a command detached *and* stripped of its environment
 * is not found.
 */
export async function endProcesses(marker: string, roots: Iterable<number>): Promise<void> {
  const known = new Set(roots);
  await signalUntilGone(marker, known, "SIGTERM", termGraceMs);
  await signalUntilGone(marker, known, "SIGKILL", killGraceMs);
}

async function signalUntilGone(
  marker: string,
  known: Set<number>,
  name: NodeJS.Signals,
  graceMs: number,
): Promise<void> {
  const signalled = new Set<number>();
  for (const end = Date.now() + graceMs; Date.now() < end; await delay(pollMs)) {
    const found = await findProcesses(marker, known);
    const pids = found ?? [...known].map((pid) => -pid);
    let alive = false;
    for (const pid of pids) {
      // Once each: a process that is cleaning up is not disturbed again.
      const sent = send(pid, signalled.has(pid) ? 0 : name);
      signalled.add(pid);
      alive ||= sent;
    }
    if (!alive) return;
    // A child whose parent ended first is still ours.
    for (const pid of found ?? []) known.add(pid);
  }
}

/** The living ones of `roots`, of the processes with `marker`, and of their descendants; undefined without /proc. */
export async function findProcesses(
  marker: string,
  roots: Iterable<number> = [],
): Promise<number[] | undefined> {
  const names = await readdir("/proc").catch(() => undefined);
  const pids = names?.filter((name) => /^\d+$/.test(name)).map(Number);
  if (pids === undefined || pids.length === 0) return undefined;
  const wanted = new Set(roots);
  const processes = (await Promise.all(pids.map((pid) => inspect(pid, marker)))).filter(
    (process) => process !== undefined,
  );
  const found = new Set<number>();
  for (const { pid, marked } of processes) if (marked || wanted.has(pid)) found.add(pid);
  // A child may have cleared its environment (`env -i`, sudo): repeated until no child is new.
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
