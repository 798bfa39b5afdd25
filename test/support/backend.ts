import { Backend, type VolumeRequest } from "../../src/backend/index.ts";
import type {
  Argument,
  CommandResult,
  Executor,
  JobResult,
  JobSpec,
  LockOptions,
  RunOptions,
} from "../../src/contract/index.ts";
import { createFileDriver } from "../../src/drivers/file/index.ts";
import type { CountedHost, HostStats } from "../../src/ssh/host.ts";
import { targets } from "../../src/targets/registry.ts";
import { LocalExecutor } from "./local-executor.ts";
import { streamHere } from "./local-stream.ts";
import { tempDirectory } from "./temp-directory.ts";

/** This machine in place of a host behind SSH. Jobs run in the foreground, and leave the record of their name only. */
export class LocalHost implements CountedHost {
  readonly host = "here";
  readonly executor = new LocalExecutor();
  /** Ids of the jobs that have run or been started and were not forgotten. */
  readonly jobs = new Set<string>();

  run(argv: readonly Argument[], options: RunOptions = {}): Promise<CommandResult> {
    return this.executor.run(argv, options);
  }

  withLock<T>(lockFile: string, _options: LockOptions, use: (locked: Executor) => Promise<T>): Promise<T> {
    return this.executor.withLock(lockFile, use);
  }

  async runJob(job: JobSpec): Promise<JobResult> {
    this.jobs.add(job.id);
    return this.executor.runJob(job);
  }

  async forgetJob({ id }: Pick<JobSpec, "id">): Promise<void> {
    this.jobs.delete(id);
  }

  stats(): HostStats {
    return { dials: 0, channels: 0, commands: this.executor.commands };
  }

  stream(...[argv, streams, options]: Parameters<CountedHost["stream"]>): ReturnType<CountedHost["stream"]> {
    return streamHere(argv, streams, options);
  }

  async close(): Promise<void> {}
}

/** A backend on a local directory, as one run of a provider has it. */
export function localBackend({ directory = tempDirectory(), host = new LocalHost() } = {}) {
  const technology = { technology: "file", directory, format: "raw" } as const;
  const backend = new Backend({
    settings: { name: "demo", aliases: [], host: "here", technology, unreachable: "error" },
    owner: "acme/prod",
    host,
    driver: createFileDriver({ backend: "demo", directory, format: "raw" }),
    target: targets.local(),
  });
  return { backend, host, directory };
}

/** A volume as a resource asks for it that says nothing but its name and size. */
export const plainRequest: VolumeRequest = {
  name: "db",
  namePrefix: null,
  sizeBytes: 4 * 1024 ** 2,
  source: null,
  pool: null,
  // Thick volumes are always copied by a job, whatever the file system can do.
  provisioning: "thick",
  multiattach: false,
  labels: {},
  defaultLabels: {},
  deletionProtection: false,
  settings: {},
};
