import type { Readable, Writable } from "node:stream";

/** One argument of a remote command: text (sent as UTF-8) or raw bytes. A NUL byte is `InvalidInput`. */
export type Argument = string | Uint8Array;

export interface RunOptions {
  /** Given to the command as its standard input; without it the command reads end-of-file at once. */
  readonly stdin?: Argument | undefined;
  /** In milliseconds, default 120,000. When it passes, the remote process group is ended: `OperationInDoubt`. */
  readonly timeoutMs?: number | undefined;
  /** Aborting ends the remote process group: `Cancelled`. */
  readonly signal?: AbortSignal | undefined;
}

export interface CommandResult {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** 0 to 255; 128 + n when signal n ended it. */
  readonly exitCode: number;
}

/**
 * Runs commands on one host. All that a driver ever sees of SSH.
 *
 * A non-zero exit is a result, not an error. Thrown is only what keeps a result from being known:
 * `BackendUnreachable` or `HostKeyMismatch` (the command never started), `OperationInDoubt` (it may have run),
 * `Cancelled`, `InvalidInput` (an argument holds a NUL byte).
 *
 * The command runs with `LC_ALL=C`, umask 077, `/` as its directory, in its own session (`setsid`), with the privilege that the host's
 * `become` setting gives.
 */
export interface Executor {
  /** The host's name in the configuration, for messages. */
  readonly host: string;
  run(argv: readonly Argument[], options?: RunOptions): Promise<CommandResult>;
}

export interface LockOptions {
  /** How long to wait for another holder, in milliseconds, default 300,000. Then `VolumeBackendError`. */
  readonly waitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface JobSpec {
  /**
   * Names the work: asking again for the same id joins what runs or returns what ended, where the arguments are the
   * same. Other arguments are other work: refused while a job of that id runs, and begun once it has ended.
   * `[A-Za-z0-9_.-]+`.
   */
  readonly id: string;
  /** Existing directory on the host where the job's durable record lives, as `<id>.job/`. */
  readonly directory: string;
  /** Must be repeatable: a job lost to a reboot is started again. Must hold no secret. */
  readonly argv: readonly Argument[];
}

export interface JobResult {
  readonly exitCode: number;
  /** The end of what it printed, at most 64 KiB each. */
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

export interface JobOptions {
  /** What the job is for, in the words of an error about waiting for it; ``run job "ID"`` by default. */
  readonly action?: string | undefined;
  /** Stops waiting, not the job: `Cancelled`; a later call with the same id joins it. */
  readonly signal?: AbortSignal | undefined;
  /** Told the last line that the job printed so far (a carriage return ends a line as well), now and then. */
  readonly onProgress?: ((line: string) => void) | undefined;
}

/** A host as the backend sees it. */
export interface Host extends Executor {
  /**
   * Runs `use` while holding an exclusive `flock` on `lockFile` (made where it is missing; its directory must exist).
   * Every command that `use` runs on the executor it is given inherits the lock's descriptor: should this process
   * or its shell die, the lock stays held until the last of them has ended.
   */
  withLock<T>(lockFile: string, options: LockOptions, use: (locked: Executor) => Promise<T>): Promise<T>;

  /**
   * Starts a detached job that survives this process and the connection, or joins the one of that id, and waits for
   * its end. A job whose process vanished without a result (reboot, kill) is started again.
   */
  runJob(job: JobSpec, options?: JobOptions): Promise<JobResult>;

  /**
   * Forgets a job's record. Absent is success. A job that still runs is ended first where `stop` is set, with every
   * process of its group gone before this returns; otherwise it is left alone: `VolumeBackendError`.
   */
  forgetJob(job: Pick<JobSpec, "id" | "directory">, options?: { readonly stop?: boolean }): Promise<void>;

  /** Runs a command on a channel of its own with streamed input and output, for data too large for memory. */
  stream(
    argv: readonly Argument[],
    streams: { readonly stdin?: Readable; readonly stdout?: Writable },
    options?: Pick<RunOptions, "signal">,
  ): Promise<{ readonly stderr: Buffer; readonly exitCode: number }>;

  /** Ends the connection and every command on it that is still waited for. Idempotent. */
  close(): Promise<void>;
}
