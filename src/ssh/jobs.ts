import { createHash } from "node:crypto";
import type { Argument, CommandResult, JobOptions, JobResult, JobSpec } from "../contract/index.ts";
import { isStorageError, StorageError } from "../contract/index.ts";
import { followProgress } from "./job-progress.ts";
import { JobWatch, type JobWatchHost } from "./job-watch.ts";
import { aliveFunction } from "./process-groups.ts";

/** What jobs need of a host. */
export interface JobHost extends JobWatchHost {
  readonly host: string;
  run(
    argv: readonly Argument[],
    options: { readonly label: string; readonly signal?: AbortSignal | undefined },
  ): Promise<CommandResult>;
}

const outputLimit = 65_536;
const startsPerCall = 3;
const statusOf = { otherArguments: 65, running: 66 } as const;

/*
 * A job's record is the directory `<id>.job`:
 *   argv     SHA-256 of the arguments
 *   boot     the boot id of the start, for whoever looks at it
 *   alive    locked (flock) by the job's processes, and so for just as long as it runs
 *   stdout, stderr
 *   exit     its status, there once it has ended; written, synced and renamed
 * A lock on the parent directory makes starting and forgetting exclusive. A record without `exit` whose `alive` nobody locks is a
 * job that was lost. An ended job with other arguments was other work, whose record has no reader any more.
 */

// Arguments of both scripts: the parent directory, the id.
const openRecord = `
set -u
cd -- "$1" || exit 1
record=$2.job
exec 5<. || exit 1
flock 9 9<&5 || exit 1
discard() {
  [ -d "$1" ] || return 0
  rm -f -- "$1/argv" "$1/boot" "$1/alive" "$1/stdout" "$1/stderr" "$1/exit" "$1/exit.new" && rmdir -- "$1"
}
is_running() { ! flock -n -s "$record/alive" true; }
`;

// Becomes the job's first process. The lock is given up by name at the end, in case the command left a daemon that inherited it.
const jobScript = `
record=$1; shift
(cd / && exec "$@") >"$record/stdout" 2>"$record/stderr" </dev/null
code=$?
echo "$code" >"$record/exit.new" && sync "$record/exit.new" && mv "$record/exit.new" "$record/exit" && sync "$record"
flock -u 7
`;

// Further arguments: the hash, the job's script, the job's arguments. Prints what it found: started, running, or ended and the status,
// followed by the end of the output.
const startScript = `${openRecord}
hash=$3; script=$4
shift 4
state=started
if [ -d "$record" ]; then
  same=; [ "$(cat "$record/argv")" != "$hash" ] || same=yes
  if [ -n "$same" ] && [ -f "$record/exit" ]; then
    read -r code <"$record/exit"
    echo "ended $code"
    tail -c ${outputLimit} "$record/stdout"
    tail -c ${outputLimit} "$record/stderr" >&2
    exit 0
  fi
  if is_running; then
    [ -n "$same" ] || exit ${statusOf.otherArguments}
    echo running
    exit 0
  fi
  mv -- "$record" ".$record.lost" && discard ".$record.lost" || exit 1
fi
discard ".$record.new" && mkdir -- ".$record.new" && cd -- ".$record.new" || exit 1
echo "$hash" >argv && cat /proc/sys/kernel/random/boot_id >boot && : >stdout && : >stderr || exit 1
exec 6>>alive || exit 1
flock 9 9>&6 || exit 1
cd .. && mv -- ".$record.new" "$record" && sync . || exit 1
setsid sh -c "$script" sh "$PWD/$record" "$@" 7>&6 5<&- 6>&- </dev/null >/dev/null 2>&1 &
echo started
`;

// A further argument: stop or keep what runs. The job's processes are those that have its `alive` open as the job's script got it; they are
// looked for each time anew, because they may be starting others. TERM for three seconds, then KILL for two.
const forgetScript = `
[ -d "$1" ] || exit 0
${openRecord}${aliveFunction}
discard ".$record.new"
[ -d "$record" ] || exit 0
groups() {
  for link in /proc/[0-9]*/fd/7; do
    [ "$link" -ef "$record/alive" ] || continue
    { read -r line <"\${link%/fd/7}/stat"; } 2>/dev/null || continue
    set -- \${line##*) }
    echo "$3"
  done
}
if is_running; then
  [ "$3" = stop ] || exit ${statusOf.running}
  tick=0; seen=; left=yes
  while [ -n "$left" ]; do
    [ "$tick" -lt 50 ] || exit ${statusOf.running}
    signal=TERM; [ "$tick" -lt 30 ] || signal=KILL
    seen="$seen $(groups)"; left=
    for group in $seen; do
      if alive "$group"; then left=yes; kill -s "$signal" -- "-$group" 2>/dev/null; fi
    done
    if is_running; then left=yes; fi
    [ -z "$left" ] || sleep 0.1
    tick=$((tick + 1))
  done
fi
mv -- "$record" ".$record.lost" && discard ".$record.lost"
`;

/** Detached, durable jobs on one host. */
export class Jobs {
  readonly #host: JobHost;
  readonly #watch: JobWatch;

  constructor(host: JobHost) {
    this.#host = host;
    this.#watch = new JobWatch(host);
  }

  /** As `Host.runJob`. */
  async run(job: JobSpec, options: JobOptions): Promise<JobResult> {
    checkName(job);
    const hash = argumentsHash(job.argv);
    try {
      for (let starts = 0; ; ) {
        const answer = await this.#start(job, hash, options.signal);
        if (answer.state === "ended") return answer.result;
        if (answer.state === "started" && ++starts > startsPerCall) throw this.#lostAgain(job);
        await this.#ended(job, options);
      }
    } catch (error) {
      if (!isStorageError(error, "Cancelled")) throw error;
      throw this.#stopped(options.action ?? actionOf(job));
    }
  }

  /** Waits until a job runs no more, or its host was lost. */
  async #ended(job: JobSpec, { signal, onProgress }: JobOptions): Promise<void> {
    const record = `${job.directory}/${job.id}.job`;
    const following = new AbortController();
    if (onProgress !== undefined) {
      void followProgress(this.#host, `${record}/stdout`, onProgress, following.signal);
    }
    try {
      await this.#watch.ended(`${record}/alive`, signal);
    } catch (error) {
      // The connection went, not the job: find it again over another one.
      if (!isStorageError(error, "OperationInDoubt")) throw error;
    } finally {
      following.abort();
    }
  }

  /** As `Host.forgetJob`. */
  async forget(
    job: Pick<JobSpec, "id" | "directory">,
    { stop = false }: { readonly stop?: boolean } = {},
  ): Promise<void> {
    checkName(job);
    const { exitCode, stderr } = await this.#host.run(
      ["sh", "-c", forgetScript, "sh", job.directory, job.id, stop ? "stop" : "keep"],
      { label: `forget job ${job.id}` },
    );
    if (exitCode === 0) return;
    throw this.#failure(
      `forget job "${job.id}"`,
      exitCode !== statusOf.running
        ? stderr.toString()
        : stop
          ? "it is still running in spite of SIGKILL"
          : "it is still running",
    );
  }

  async #start(
    job: JobSpec,
    hash: string,
    signal: AbortSignal | undefined,
  ): Promise<
    { readonly state: "started" | "running" } | { readonly state: "ended"; readonly result: JobResult }
  > {
    const argv = ["sh", "-c", startScript, "sh", job.directory, job.id, hash, jobScript, ...job.argv];
    const { exitCode, stdout, stderr } = await this.#host.run(argv, { label: `start job ${job.id}`, signal });
    const action = actionOf(job);
    if (exitCode === statusOf.otherArguments) {
      throw this.#failure(action, `${job.directory} holds a running job of that name with other arguments`);
    }
    if (exitCode !== 0) throw this.#failure(action, stderr.toString());
    const headerEnd = stdout.indexOf("\n");
    const [state, code] = stdout.toString("latin1", 0, headerEnd).split(" ");
    if (state === "started" || state === "running") return { state };
    if (state !== "ended" || code === undefined) throw this.#failure(action, `unexpected answer ${state}`);
    return { state, result: { exitCode: Number(code), stdout: stdout.subarray(headerEnd + 1), stderr } };
  }

  #lostAgain(job: JobSpec): StorageError {
    return this.#failure(
      actionOf(job),
      `it ended ${startsPerCall} times without leaving a result; is there room in ${job.directory}?`,
    );
  }

  /** In the words of who waits: which step it was that ended is of no use to anybody. */
  #stopped(action: string): StorageError {
    return new StorageError({
      kind: "Cancelled",
      action,
      reason: "stopped on request; what it began on the host goes on",
      nextStep: "Running it again joins it.",
      host: this.#host.host,
    });
  }

  #failure(action: string, words: string): StorageError {
    return new StorageError({
      kind: "VolumeBackendError",
      action,
      reason: words.trim() || "the host gave no reason",
      host: this.#host.host,
    });
  }
}

function actionOf(job: Pick<JobSpec, "id">): string {
  return `run job "${job.id}"`;
}

function checkName(job: Pick<JobSpec, "id" | "directory">): void {
  const problem = !/^[A-Za-z0-9_.-]+$/.test(job.id)
    ? `${JSON.stringify(job.id)} is no job id ([A-Za-z0-9_.-]+)`
    : !job.directory.startsWith("/") || job.directory.includes("\n")
      ? `${JSON.stringify(job.directory)} is no absolute path on one line`
      : undefined;
  if (problem !== undefined) {
    throw new StorageError({ kind: "InvalidInput", action: "name a job", reason: problem });
  }
}

function argumentsHash(argv: readonly Argument[]): string {
  const hash = createHash("sha256");
  for (const argument of argv) hash.update(argument).update("\0");
  return hash.digest("hex");
}
