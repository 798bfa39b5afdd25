import type { Readable, Writable } from "node:stream";
import type {
  Argument,
  CommandResult,
  Executor,
  Host,
  JobOptions,
  JobResult,
  JobSpec,
  LockOptions,
  RunOptions,
} from "../contract/index.ts";
import { StorageError } from "../contract/index.ts";
import { type DebugLog, silentLog } from "./log.ts";
import type { HostSettings } from "./settings.ts";

/** What has happened on a host since it was opened. */
export interface HostStats {
  /** Connections attempted, jump hosts not counted. */
  readonly dials: number;
  /** Session channels opened. */
  readonly channels: number;
  /** Remote commands started, of every kind. */
  readonly commands: number;
}

export interface OpenHostOptions {
  readonly log?: DebugLog | undefined;
}

/** A host with counters, for tests that assert how much was asked of it. */
export interface CountedHost extends Host {
  stats(): HostStats;
}

/**
 * The host behind `settings`. Nothing is sent before the first command; then one connection is made, used by all
 * commands, and made anew when it was lost.
 *
 * @throws StorageError `InvalidConfiguration` where the settings cannot be.
 */
export function openHost(settings: HostSettings, options: OpenHostOptions = {}): CountedHost {
  return new SshHost(settings, options.log ?? silentLog);
}

class SshHost implements CountedHost {
  readonly host: string;

  constructor(settings: HostSettings, _log: DebugLog) {
    this.host = settings.name;
  }

  stats(): HostStats {
    return { dials: 0, channels: 0, commands: 0 };
  }

  async run(_argv: readonly Argument[], _options?: RunOptions): Promise<CommandResult> {
    throw this.#unreachable();
  }

  async withLock<T>(
    _file: string,
    _options: LockOptions,
    _use: (locked: Executor) => Promise<T>,
  ): Promise<T> {
    throw this.#unreachable();
  }

  async runJob(_job: JobSpec, _options?: JobOptions): Promise<JobResult> {
    throw this.#unreachable();
  }

  async forgetJob(_job: Pick<JobSpec, "id" | "directory">): Promise<void> {
    throw this.#unreachable();
  }

  async stream(
    _argv: readonly Argument[],
    _streams: { readonly stdin?: Readable; readonly stdout?: Writable },
  ): Promise<{ readonly stderr: Buffer; readonly exitCode: number }> {
    throw this.#unreachable();
  }

  async close(): Promise<void> {}

  #unreachable(): StorageError {
    return new StorageError({
      kind: "BackendUnreachable",
      action: "connect",
      reason: "not connected",
      host: this.host,
    });
  }
}
