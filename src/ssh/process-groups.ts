import { type Deferred, deferred } from "./deferred.ts";
import { commandFrame } from "./frame-script.ts";
import { type ProcessGroup, type SessionShell, ShellFailure } from "./session-shell.ts";
import type { ShellPool } from "./shell-pool.ts";

/** What became of a process group that was to end. */
export type GroupEnd = "gone" | "terminated" | "killed" | "alive";

const graceSeconds = 3;
const answerLimitMs = 15_000;

/** A function of the shell: whether a process of group `$1` lives; the dead that nobody waits for do not. */
export const aliveFunction = `
alive() {
  kill -0 "-$1" 2>/dev/null || return 1
  for file in /proc/[0-9]*/stat; do
    read -r line <"$file" || continue
    set -- "$1" \${line##*) }
    [ "$4" != "$1" ] || [ "$2" = Z ] || return 0
  done 2>/dev/null
  return 1
}
`;

// Arguments: grace in tenths of a second, then `<id>:<start time>` for each group. Prints `<id> <end>` for each.
// A group's id is its leader's process id. Where that process is there but started at another time, the group is long gone. While the leader has not
// called setsid yet, its group does not exist, so the process itself is signalled then.
const endScript = `
grace=$1; shift${aliveFunction}ours() {
  line=
  { read -r line <"/proc/$1/stat"; } 2>/dev/null
  [ -n "$line" ] || return 0
  start=$2
  set -- \${line##*) }
  shift 19
  [ "$1" = "$start" ]
}
signal() { kill "-$1" "-$2" 2>/dev/null || kill "-$1" "$2" 2>/dev/null; }
left=
for group; do
  id=\${group%:*}
  if ours "$id" "\${group#*:}" && signal TERM "$id"; then left="$left $id"; else echo "$id gone"; fi
done
tick=0
while [ -n "$left" ] && [ "$tick" -lt "$grace" ]; do
  still=
  for id in $left; do
    if alive "$id"; then still="$still $id"; else echo "$id terminated"; fi
  done
  left=$still
  [ -z "$left" ] || sleep 0.1
  tick=$((tick + 1))
done
for id in $left; do signal KILL "$id"; done
tick=0
while [ -n "$left" ] && [ "$tick" -lt 20 ]; do
  still=
  for id in $left; do
    if alive "$id"; then still="$still $id"; else echo "$id killed"; fi
  done
  left=$still
  [ -z "$left" ] || sleep 0.1
  tick=$((tick + 1))
done
for id in $left; do echo "$id alive"; done
`;

interface Request {
  readonly group: ProcessGroup;
  readonly answer: Deferred<GroupEnd>;
}

/** Ends remote process groups with a shell of its own, so that it need not wait for those that are stuck. */
export class GroupEnder {
  readonly #pool: ShellPool;
  #shell: SessionShell | undefined;
  #requests: Request[] = [];
  #isWorking = false;

  constructor(pool: ShellPool) {
    this.#pool = pool;
  }

  /** TERM, then KILL to what is still there after three seconds. Rejects where the host does not answer. */
  end(group: ProcessGroup): Promise<GroupEnd> {
    const request: Request = { group, answer: deferred() };
    this.#requests.push(request);
    void this.#work();
    return request.answer.promise;
  }

  close(): void {
    this.#shell?.end();
  }

  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    while (this.#requests.length > 0) {
      const batch = this.#requests;
      this.#requests = [];
      try {
        const ends = await this.#endAll(batch.map((request) => request.group));
        for (const { group, answer } of batch) answer.resolve(ends.get(group.id) ?? "alive");
      } catch (error) {
        for (const { answer } of batch) answer.reject(error);
      }
    }
    this.#isWorking = false;
  }

  async #endAll(groups: readonly ProcessGroup[]): Promise<Map<number, GroupEnd>> {
    if (this.#shell?.isUsable !== true) this.#shell = await this.#pool.openSpare();
    const shell = this.#shell;
    const output: Buffer[] = [];
    const argv = ["sh", "-c", endScript, "sh", String(graceSeconds * 10)];
    for (const group of groups) argv.push(`${group.id}:${group.startTime}`);
    const frame = shell.send((nonce) => commandFrame(nonce, argv, { from: "nothing" }, false), {
      stdout: (chunk) => output.push(chunk),
      stderr: () => {},
    });
    const timer = setTimeout(() => shell.abandon("the host did not answer"), answerLimitMs);
    try {
      await frame.ended;
    } finally {
      clearTimeout(timer);
    }
    return new Map(Buffer.concat(output).toString().trim().split("\n").map(parseEnd));
  }
}

function parseEnd(line: string): [number, GroupEnd] {
  const [id, end] = line.split(" ");
  if (end === "gone" || end === "terminated" || end === "killed" || end === "alive") return [Number(id), end];
  throw new ShellFailure(`unexpected answer: ${line}`);
}

/** The sentence about it for a message. */
export function describeGroupEnd(end: GroupEnd): string {
  switch (end) {
    case "gone":
      return "it had ended by itself by then";
    case "terminated":
      return "its process group was ended (SIGTERM)";
    case "killed":
      return `its process group was killed (SIGKILL, after ${graceSeconds} s of SIGTERM)`;
    case "alive":
      return "its process group is still there in spite of SIGKILL";
  }
}
