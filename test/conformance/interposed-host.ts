import type {
  Argument,
  CommandResult,
  Executor,
  JobOptions,
  JobResult,
  JobSpec,
  LockOptions,
  RunOptions,
} from "../../src/contract/index.ts";
import type { CountedHost, HostStats } from "../../src/ssh/index.ts";

/** What happens around the things that a host is asked to do. */
export interface Interposition {
  /** What is run in place of the `nth` command (from 1) that runs under a lock. */
  locked?(argv: readonly Argument[], nth: number): readonly Argument[] | Promise<readonly Argument[]>;
  /** Awaited before each job. */
  beforeJob?(job: JobSpec): Promise<void>;
  /** Called once the job is on the host's record; it may have ended by then. */
  onJobBegun?(job: JobSpec): void;
}

const jobBegun = 'until [ -e "$1/$2.job" ]; do sleep 0.02; done';

/** A host between a backend and the real one. Closing it leaves the real one open. */
export class InterposedHost implements CountedHost {
  readonly #host: CountedHost;
  readonly #around: Interposition;
  #lockedCommands = 0;

  constructor(host: CountedHost, around: Interposition = {}) {
    this.#host = host;
    this.#around = around;
  }

  get host(): string {
    return this.#host.host;
  }

  run(argv: readonly Argument[], options?: RunOptions): Promise<CommandResult> {
    return this.#host.run(argv, options);
  }

  withLock<T>(lockFile: string, options: LockOptions, use: (locked: Executor) => Promise<T>): Promise<T> {
    return this.#host.withLock(lockFile, options, (locked) =>
      use({
        host: locked.host,
        run: async (argv, runOptions) => {
          this.#lockedCommands += 1;
          return locked.run((await this.#around.locked?.(argv, this.#lockedCommands)) ?? argv, runOptions);
        },
      }),
    );
  }

  async runJob(job: JobSpec, options?: JobOptions): Promise<JobResult> {
    await this.#around.beforeJob?.(job);
    const ended = this.#host.runJob(job, options);
    if (this.#around.onJobBegun !== undefined) {
      await this.#host.run(["sh", "-c", jobBegun, "sh", job.directory, job.id]);
      this.#around.onJobBegun(job);
    }
    return ended;
  }

  forgetJob(job: Pick<JobSpec, "id" | "directory">, options?: { readonly stop?: boolean }): Promise<void> {
    return this.#host.forgetJob(job, options);
  }

  stream(...args: Parameters<CountedHost["stream"]>): ReturnType<CountedHost["stream"]> {
    return this.#host.stream(...args);
  }

  stats(): HostStats {
    return this.#host.stats();
  }

  async close(): Promise<void> {}
}
