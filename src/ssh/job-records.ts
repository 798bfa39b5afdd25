import { type Executor, StorageError } from "../contract/index.ts";

/** What a job's record says: it runs; it has ended, well or not; or it went without leaving a result. */
export type JobStatus = "running" | "ended" | "lost";

/** What there is to see of a job's record. */
export interface JobRecord {
  readonly status: JobStatus;
  /** When anything in it was last written, in milliseconds since 1970 by the host's clock; NaN where it went meanwhile. */
  readonly writtenAt: number;
}

/** The records in one directory. */
export interface JobListing {
  /** By the host's clock, in milliseconds since 1970. */
  readonly now: number;
  /** By the jobs' ids. */
  readonly jobs: ReadonlyMap<string, JobRecord>;
}

// Argument: the directory. Prints the time, then a line a record: its status, when it was written, its id. A record that goes
// meanwhile is no error.
const listScript = `
set -u
date '+now %s' || exit 1
[ -d "$1" ] || exit 0
cd -- "$1" && [ -r . ] || exit 1
for record in *.job; do
  [ -d "$record" ] || continue
  status=ended
  [ -f "$record/exit" ] || status=lost
  [ ! -f "$record/alive" ] || flock -n -s "$record/alive" true || status=running
  written=$(stat -c %Y -- "$record" "$record"/* 2>/dev/null | sort -n | tail -n 1)
  printf '%s %s %s\\n' "$status" "\${written:-?}" "\${record%.job}"
done
`;

/**
 * The records of jobs in a directory on a host, with one command; none where there is no such directory. Changes nothing.
 */
export async function listJobs(
  executor: Executor,
  directory: string,
  signal?: AbortSignal,
): Promise<JobListing> {
  const { exitCode, stdout, stderr } = await executor.run(["sh", "-c", listScript, "sh", directory], {
    signal,
  });
  if (exitCode !== 0) {
    throw new StorageError({
      kind: "VolumeBackendError",
      action: `list the jobs in ${directory}`,
      reason: stderr.toString().trim() || "the host gave no reason",
      host: executor.host,
    });
  }
  const text = stdout.toString();
  const jobs = new Map(
    text.split("\n").flatMap((line): [string, JobRecord][] => {
      const [, status, written, id] = /^(running|ended|lost) (\d+|\?) ([A-Za-z0-9_.-]+)$/.exec(line) ?? [];
      if (status === undefined || id === undefined) return [];
      return [[id, { status: status as JobStatus, writtenAt: Number(written) * 1000 }]];
    }),
  );
  return { now: Number(/^now (\d+)$/m.exec(text)?.[1]) * 1000, jobs };
}
