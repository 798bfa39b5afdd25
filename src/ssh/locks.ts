import type { Argument, CommandResult, Executor, RunOptions } from "../contract/index.ts";
import { StorageError } from "../contract/index.ts";
import { anySignal } from "./abort.ts";
import { type CommandContext, cancelledBefore, collectFrame, neverStarted } from "./command.ts";
import { closeLockFrame, type FrameInput, openLockFrame } from "./frame-script.ts";
import type { GroupEnder } from "./process-groups.ts";
import { displayCommand } from "./quote.ts";
import { type SessionShell, ShellFailure } from "./session-shell.ts";

export const lockDefaults = { waitMs: 300_000 } as const;

/** What a shell under a lock can take with a frame: it has no second way in. */
const lockedInputLimit = 8 * 1_048_576;
const flockSlackMs = 10_000;

export interface LockedShellOptions {
  /** How long to wait for another process that holds the lock. */
  readonly waitMs: number;
  /** Ends the waiting. */
  readonly waitSignal: AbortSignal;
  /** Ends what runs under the lock, as each command's own signal does. */
  readonly runSignal: AbortSignal;
  /** For commands that say nothing of their own. */
  readonly runTimeoutMs: number;
}

/** A shell that holds an exclusive `flock`, and the commands run under it, one after the other. */
export class LockedShell {
  readonly #context: CommandContext;
  readonly #shell: SessionShell;
  readonly #ender: GroupEnder;
  readonly #file: string;
  readonly #options: LockedShellOptions;
  #last: Promise<unknown> = Promise.resolve();
  #obstacle: string | undefined;

  private constructor(
    context: CommandContext,
    shell: SessionShell,
    ender: GroupEnder,
    file: string,
    options: LockedShellOptions,
  ) {
    this.#context = context;
    this.#shell = shell;
    this.#ender = ender;
    this.#file = file;
    this.#options = options;
  }

  /**
   * Takes the lock.
   *
   * @throws ShellFailure where the shell went before any command was sent.
   * @throws StorageError `VolumeBackendError` where it stays taken or the file cannot be opened; `Cancelled`.
   */
  static async take(
    context: CommandContext,
    shell: SessionShell,
    ender: GroupEnder,
    file: string,
    options: LockedShellOptions,
  ): Promise<LockedShell> {
    const { waitMs } = options;
    const opened = await runBuiltin(shell, (nonce) => openLockFrame(nonce, file));
    if (opened.exitCode !== 0) throw lockFailure(context, file, opened.stderr);
    const wait = waitMs <= 0 ? ["-n"] : ["-w", String(Math.ceil(waitMs) / 1_000)];
    const result = await collectFrame(context, shell, ender, ["flock", ...wait, "9"], {
      label: `flock ${file}`,
      input: { from: "nothing" },
      lock: true,
      timeoutMs: waitMs + flockSlackMs,
      signal: options.waitSignal,
    });
    if (result.exitCode === 1) throw lockTaken(context, file, waitMs);
    if (result.exitCode !== 0) throw lockFailure(context, file, result.stderr.toString());
    return new LockedShell(context, shell, ender, file, options);
  }

  get executor(): Executor {
    return { host: this.#context.host, run: (argv, options) => this.#enqueue(argv, options ?? {}) };
  }

  /** Gives the lock up once what runs under it has ended; true where the shell is fit for further use. */
  async release(): Promise<boolean> {
    await this.#last;
    const wasClean = this.#obstacle === undefined;
    this.#obstacle ??= `the lock on ${this.#file} has been released`;
    if (!this.#shell.isUsable) return false;
    try {
      await runBuiltin(this.#shell, closeLockFrame);
      return wasClean;
    } catch {
      // A shell that is gone has given up its descriptor as well.
      return false;
    }
  }

  #enqueue(argv: readonly Argument[], options: RunOptions): Promise<CommandResult> {
    const result = this.#last.then(() => this.#run(argv, options));
    this.#last = result.catch(() => {});
    return result;
  }

  async #run(argv: readonly Argument[], options: RunOptions): Promise<CommandResult> {
    const command = displayCommand(argv, this.#context.secrets);
    if (options.signal?.aborted === true) throw cancelledBefore(this.#context, command);
    if (this.#obstacle !== undefined) throw neverStarted(this.#context, command, new Error(this.#obstacle));
    try {
      const outcome = await collectFrame(this.#context, this.#shell, this.#ender, argv, {
        input: this.#input(options.stdin),
        lock: true,
        timeoutMs: options.timeoutMs ?? this.#options.runTimeoutMs,
        signal: anySignal(this.#options.runSignal, options.signal),
      });
      if (!outcome.isClean)
        this.#obstacle = "processes of an earlier command are still running under the lock";
      const { stdout, stderr, exitCode } = outcome;
      return { stdout, stderr, exitCode };
    } catch (error) {
      if (!this.#shell.isUsable) this.#obstacle ??= `the shell that held the lock on ${this.#file} is gone`;
      if (error instanceof ShellFailure) throw neverStarted(this.#context, command, error);
      throw error;
    }
  }

  #input(stdin: Argument | undefined): FrameInput {
    if (stdin === undefined) return { from: "nothing" };
    const data = Buffer.from(stdin);
    if (data.length > lockedInputLimit) {
      throw this.#refusedInput(
        `${data.length} bytes of standard input are too many for a command under a lock (${lockedInputLimit} at most)`,
      );
    }
    if (this.#shell.writer === "none") {
      throw this.#refusedInput("the host's sh has no builtin printf to give a command its standard input");
    }
    return { from: "frame", data, writer: this.#shell.writer };
  }

  #refusedInput(reason: string): StorageError {
    return new StorageError({
      kind: "InvalidInput",
      action: "run a command under a lock",
      reason,
      nextStep: "Bring the data to the host before taking the lock.",
      host: this.#context.host,
    });
  }
}

/** A frame of the shell itself, which takes no time and has no process to end. */
async function runBuiltin(
  shell: SessionShell,
  script: (nonce: string) => Buffer,
): Promise<{ readonly exitCode: number; readonly stderr: string }> {
  const stderr: Buffer[] = [];
  const frame = shell.send(script, { stdout: () => {}, stderr: (chunk) => stderr.push(chunk) });
  const { exitCode } = await frame.ended;
  return { exitCode, stderr: Buffer.concat(stderr).toString() };
}

/** In words of a lock that stayed with somebody else. */
export function lockTaken(context: CommandContext, file: string, waitMs: number): StorageError {
  return new StorageError({
    kind: "VolumeBackendError",
    action: `take the lock ${file}`,
    reason: `another holder kept it for ${Math.round(waitMs / 1_000)} s`,
    nextStep: `Wait for the other run to end; "fuser -v ${file}" on the host shows whose it is.`,
    host: context.host,
  });
}

function lockFailure(context: CommandContext, file: string, words: string): StorageError {
  return new StorageError({
    kind: "VolumeBackendError",
    action: `take the lock ${file}`,
    reason: words.trim() || "flock failed",
    nextStep: "Its directory must exist, and be writable with the host's privilege.",
    host: context.host,
  });
}
