import type {
  CommandResult,
  Executor,
  Host,
  JobResult,
  JobSpec,
  LockOptions,
} from "../../src/contract/index.ts";
import { LocalExecutor } from "./local-executor.ts";

/** This machine as the host of backends, for tests of what stands on a host but not on SSH. */
export class LocalHost extends LocalExecutor implements Host {
  /** Awaited before each job begins; lets a test do something meanwhile. */
  beforeJob: () => Promise<void> = async () => undefined;

  override async withLock<T>(
    lockFile: string,
    optionsOrUse: LockOptions | ((locked: Executor) => Promise<T>),
    use?: (locked: Executor) => Promise<T>,
  ): Promise<T> {
    return super.withLock(lockFile, use ?? (optionsOrUse as (locked: Executor) => Promise<T>));
  }

  override async runJob(job: JobSpec): Promise<CommandResult & JobResult> {
    await this.beforeJob();
    return super.runJob(job);
  }

  async forgetJob(): Promise<void> {}

  async stream(): Promise<never> {
    throw new Error("No test streams anything on a local host.");
  }

  async close(): Promise<void> {}
}
