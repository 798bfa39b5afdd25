import { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
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
import { Aborted, anySignal, unlessAborted } from "./abort.ts";
import {
  type CommandContext,
  cancelledBefore,
  collectFrame,
  type FrameOptions,
  neverStarted,
} from "./command.ts";
import { type Connection, dial } from "./connection.ts";
import { FairMutex } from "./fair-mutex.ts";
import type { FrameInput } from "./frame-script.ts";
import { Jobs } from "./jobs.ts";
import { LockedShell, lockDefaults, lockTaken } from "./locks.ts";
import { type DebugLog, silentLog } from "./log.ts";
import { secretsOf } from "./login.ts";
import { GroupEnder } from "./process-groups.ts";
import { displayCommand, quoteAll } from "./quote.ts";
import { type SessionShell, ShellFailure } from "./session-shell.ts";
import type { HostSettings } from "./settings.ts";
import { type Purpose, ShellPool } from "./shell-pool.ts";
import { runStream, type StreamEnds } from "./stream-command.ts";

/** What has happened on a host since it was opened. */
export interface HostStats {
  /** Attempts to connect; those to jump hosts are not counted. */
  readonly dials: number;
  /** Session channels opened. */
  readonly channels: number;
  /** Remote commands started: `run`, `stream`, and what locks and jobs run for themselves. */
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
 * Its methods throw `InvalidConfiguration` where the settings turn out wrong (no such key file, no passphrase).
 * Take no lock while holding another: those who wait inside could keep each other from their shells.
 */
export function openHost(settings: HostSettings, options: OpenHostOptions = {}): CountedHost {
  return new SshHost(settings, options.log ?? silentLog);
}

const defaultTimeoutMs = 120_000;
/** Larger input takes a channel of its own instead of a place in the frame. */
const frameInputLimit = 65_536;
/** For what runs to be ended, before the connection is closed all the same. */
const closeLimitMs = 20_000;
/** How many shells a command may find gone before it is sent to one. */
const shellsPerCommand = 3;

type LabelledRunOptions = RunOptions & Pick<FrameOptions, "label">;

/** A connection and what stands on it. */
interface Link {
  readonly connection: Connection;
  readonly pool: ShellPool;
  readonly ender: GroupEnder;
}

class SshHost implements CountedHost {
  readonly host: string;
  readonly #settings: HostSettings;
  readonly #log: DebugLog;
  readonly #context: CommandContext;
  readonly #locks = new FairMutex();
  readonly #jobs: Jobs;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  #link: Promise<Link> | undefined;
  #dials = 0;
  #channels = 0;
  #commands = 0;

  constructor(settings: HostSettings, log: DebugLog) {
    this.host = settings.name;
    this.#settings = settings;
    this.#log = log;
    this.#context = {
      host: settings.name,
      log,
      secrets: secretsOf(settings),
      onCommand: () => {
        this.#commands++;
      },
    };
    this.#jobs = new Jobs({
      host: settings.name,
      run: (argv, options) => this.#run(argv, options),
      watch: (argv, streams, label) => this.#stream("jobs", argv, streams, { label }),
    });
  }

  stats(): HostStats {
    return { dials: this.#dials, channels: this.#channels, commands: this.#commands };
  }

  async run(argv: readonly Argument[], options: RunOptions = {}): Promise<CommandResult> {
    checkArguments(argv);
    return this.#run(argv, options);
  }

  async withLock<T>(
    lockFile: string,
    options: LockOptions,
    use: (locked: Executor) => Promise<T>,
  ): Promise<T> {
    checkArguments([lockFile]);
    const command = `flock ${lockFile}`;
    const waitMs = options.waitMs ?? lockDefaults.waitMs;
    const deadline = performance.now() + waitMs;
    const done = await this.#takeTurn(lockFile, waitMs, options.signal);
    try {
      return await this.#inShell("lock", command, options.signal, async (shell, { ender }, signal) => {
        const locked = await LockedShell.take(this.#context, shell, ender, lockFile, {
          waitMs: Math.max(0, deadline - performance.now()),
          waitSignal: signal,
          runSignal: this.#closing.signal,
          runTimeoutMs: defaultTimeoutMs,
        });
        let isReusable = false;
        let value: T;
        try {
          value = await use(locked.executor);
        } finally {
          isReusable = await locked.release();
        }
        return { value, isReusable };
      });
    } finally {
      done();
    }
  }

  async runJob(job: JobSpec, options: JobOptions = {}): Promise<JobResult> {
    checkArguments(job.argv);
    return this.#jobs.run(job, options);
  }

  async forgetJob(
    job: Pick<JobSpec, "id" | "directory">,
    options: { readonly stop?: boolean } = {},
  ): Promise<void> {
    await this.#jobs.forget(job, options);
  }

  async stream(
    argv: readonly Argument[],
    streams: StreamEnds,
    options: Pick<RunOptions, "signal"> = {},
  ): Promise<{ readonly stderr: Buffer; readonly exitCode: number }> {
    checkArguments(argv);
    return this.#stream("stream", argv, streams, options);
  }

  async close(): Promise<void> {
    // What runs is ended as by an abort, so that nothing is left behind that nobody waits for.
    this.#closing.abort();
    await Promise.race([Promise.allSettled(this.#running), delay(closeLimitMs, undefined, { ref: false })]);
    const link = await this.#link?.catch(() => undefined);
    if (link === undefined) return;
    link.pool.end();
    link.ender.close();
    link.connection.close();
    await link.connection.closed;
  }

  async #run(argv: readonly Argument[], options: LabelledRunOptions): Promise<CommandResult> {
    const command = options.label ?? this.#display(argv);
    const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    const stdin = options.stdin === undefined ? undefined : Buffer.from(options.stdin);
    if (stdin === undefined || stdin.length <= frameInputLimit) {
      const result = await this.#inShell(
        "command",
        command,
        options.signal,
        async (shell, { ender }, signal) => {
          const input = frameInput(shell, stdin);
          if (input === undefined) return { value: undefined, isReusable: true };
          const frame = { label: options.label, input, lock: false, timeoutMs, signal };
          const { isClean, ...value } = await collectFrame(this.#context, shell, ender, argv, frame);
          return { value, isReusable: isClean };
        },
      );
      if (result !== undefined) return result;
    }
    const stdout: Buffer[] = [];
    const streams = { stdin: Readable.from(stdin === undefined ? [] : [stdin]), stdout: collector(stdout) };
    const { exitCode, stderr } = await this.#stream("stream", argv, streams, { ...options, timeoutMs });
    return { exitCode, stdout: Buffer.concat(stdout), stderr };
  }

  #stream(
    purpose: Purpose,
    argv: readonly Argument[],
    streams: StreamEnds,
    options: Omit<LabelledRunOptions, "stdin">,
  ): Promise<{ readonly stderr: Buffer; readonly exitCode: number }> {
    const command = options.label ?? this.#display(argv);
    return this.#inShell(purpose, command, options.signal, async (shell, { ender }, signal) => {
      const frame = { ...options, signal };
      const value = await runStream(this.#context, shell, ender, argv, streams, frame);
      return { value, isReusable: false };
    });
  }

  /** `use` with a shell of its own; with another one where that went before anything was sent. */
  #inShell<T>(
    purpose: Purpose,
    command: string,
    userSignal: AbortSignal | undefined,
    use: (
      shell: SessionShell,
      link: Link,
      signal: AbortSignal,
    ) => Promise<{ readonly value: T; readonly isReusable: boolean }>,
  ): Promise<T> {
    const signal = anySignal(this.#closing.signal, userSignal);
    const attempt = async () => {
      const link = await unlessAborted(this.#connect(), signal);
      const lease = await link.pool.lease(purpose, signal);
      let isReusable = false;
      try {
        const outcome = await use(lease.shell, link, signal);
        isReusable = outcome.isReusable;
        return outcome.value;
      } finally {
        lease.release(isReusable);
      }
    };
    const all = async () => {
      for (let shells = 1; ; shells++) {
        try {
          return await attempt();
        } catch (error) {
          if (error instanceof Aborted) throw this.#aborted(command, userSignal);
          if (!(error instanceof ShellFailure)) throw error;
          if (shells >= shellsPerCommand) throw neverStarted(this.#context, command, error);
        }
      }
    };
    const running = all();
    this.#running.add(running);
    const forget = () => this.#running.delete(running);
    running.then(forget, forget);
    return running;
  }

  #display(argv: readonly Argument[]): string {
    return displayCommand(argv, this.#context.secrets);
  }

  #connect(): Promise<Link> {
    if (this.#link !== undefined) return this.#link;
    const link = this.#dial();
    this.#link = link;
    const forget = () => {
      if (this.#link === link) this.#link = undefined;
    };
    link.then(({ connection }) => connection.closed.then(forget), forget);
    return link;
  }

  async #dial(): Promise<Link> {
    const connection = await dial(this.#settings, this.#log, () => {
      this.#dials++;
    });
    const pool = new ShellPool(connection, this.#settings, this.#log, () => {
      this.#channels++;
    });
    return { connection, pool, ender: new GroupEnder(pool) };
  }

  /** Waiting for others of this process here, rather than on the host, leaves the shells to those who work. */
  async #takeTurn(
    lockFile: string,
    waitMs: number,
    userSignal: AbortSignal | undefined,
  ): Promise<() => void> {
    const signal = anySignal(this.#closing.signal, userSignal);
    try {
      return await this.#locks.take(lockFile, anySignal(signal, AbortSignal.timeout(waitMs)));
    } catch {
      if (signal.aborted) throw this.#aborted(`flock ${lockFile}`, userSignal);
      throw lockTaken(this.#context, lockFile, waitMs);
    }
  }

  #aborted(command: string, userSignal: AbortSignal | undefined): StorageError {
    if (userSignal?.aborted === true) return cancelledBefore(this.#context, command);
    return neverStarted(this.#context, command, new Error("the host was closed"));
  }
}

/** @throws StorageError `InvalidInput` where there is no command or a NUL byte in it. */
function checkArguments(argv: readonly Argument[]): void {
  if (argv.length === 0) {
    throw new StorageError({ kind: "InvalidInput", action: "run a command", reason: "it has no words" });
  }
  quoteAll(argv);
}

/** Undefined where a frame cannot bring it on this host. */
function frameInput(shell: SessionShell, stdin: Buffer | undefined): FrameInput | undefined {
  if (stdin === undefined) return { from: "nothing" };
  return shell.writer === "none" ? undefined : { from: "frame", data: stdin, writer: shell.writer };
}

function collector(chunks: Buffer[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
}
