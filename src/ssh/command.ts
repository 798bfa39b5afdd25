import type { Argument, CommandResult } from "../contract/index.ts";
import { StorageError } from "../contract/index.ts";
import { deferred } from "./deferred.ts";
import { commandFrame, type FrameInput } from "./frame-script.ts";
import type { DebugLog } from "./log.ts";
import { describeGroupEnd, type GroupEnder } from "./process-groups.ts";
import { displayCommand, mask } from "./quote.ts";
import {
  type FrameEnd,
  type FrameSinks,
  type RunningFrame,
  type SessionShell,
  ShellFailure,
} from "./session-shell.ts";

/** What commands on one host have in common. */
export interface CommandContext {
  readonly host: string;
  readonly log: DebugLog;
  readonly secrets: readonly string[];
  readonly onCommand: () => void;
}

export interface FrameOptions {
  /** What it is called in messages; by default its words. */
  readonly label?: string | undefined;
  readonly input: FrameInput;
  readonly lock: boolean;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a command's run says about its shell, too. */
export interface FrameOutcome {
  readonly exitCode: number;
  /** Nothing of the command is left that could write into a later command's output. */
  readonly isClean: boolean;
}

const startLimitMs = 5_000;
const endLimitMs = 2_000;

/** A command whose output was not kept apart by the caller. */
export async function collectFrame(
  context: CommandContext,
  shell: SessionShell,
  ender: GroupEnder,
  argv: readonly Argument[],
  options: FrameOptions,
): Promise<CommandResult & FrameOutcome> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const sinks = {
    stdout: (chunk: Buffer) => stdout.push(chunk),
    stderr: (chunk: Buffer) => stderr.push(chunk),
  };
  const outcome = await runFrame(context, shell, ender, argv, options, sinks);
  return { ...outcome, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) };
}

/**
 * Runs one command in a shell that is the caller's alone.
 *
 * @param begin called once the frame is sent; a rejection of what it returns ends the command, and is thrown.
 * @throws ShellFailure where nothing was sent.
 * @throws StorageError `OperationInDoubt` or `Cancelled` otherwise.
 */
export async function runFrame(
  context: CommandContext,
  shell: SessionShell,
  ender: GroupEnder,
  argv: readonly Argument[],
  options: FrameOptions,
  sinks: FrameSinks,
  begin?: (frame: RunningFrame) => Promise<never>,
): Promise<FrameOutcome> {
  const command = options.label ?? displayCommand(argv, context.secrets);
  const interruption = new Interruption(options.timeoutMs, options.signal);
  try {
    const frame = shell.send((nonce) => commandFrame(nonce, argv, options.input, options.lock), sinks);
    context.onCommand();
    context.log.debug("command", { host: context.host, command });
    const failing = begin?.(frame);
    // The end of the command may come first.
    failing?.catch(() => {});
    const races = [frame.ended, interruption.promise, ...(failing === undefined ? [] : [failing])];
    let first: FrameEnd | "timeout" | "abort";
    try {
      first = await Promise.race(races);
    } catch (error) {
      if (error instanceof ShellFailure) throw inDoubt(context, command, error.message, error);
      await stopFrame(shell, ender, frame);
      throw error;
    }
    if (typeof first !== "string") {
      context.log.debug("command ended", { host: context.host, command, exitCode: first.exitCode });
      return { exitCode: first.exitCode, isClean: !first.leftover };
    }
    const end = await stopFrame(shell, ender, frame);
    context.log.debug("command stopped", { host: context.host, command, because: first, end });
    throw first === "timeout"
      ? inDoubt(context, command, `it did not end within ${options.timeoutMs} ms; ${end}`)
      : cancelled(context, command, end);
  } finally {
    interruption.stop();
  }
}

/** A command that never started because its caller wanted no more of it. */
export function cancelledBefore(context: CommandContext, command: string): StorageError {
  return cancelled(context, command, "it had not been started");
}

/** A command that never started because there was no shell for it. */
export function neverStarted(context: CommandContext, command: string, cause: unknown): StorageError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StorageError({
    kind: "BackendUnreachable",
    action: `run \`${command}\``,
    reason: `${reason}; the command was not started`,
    nextStep: "Check the connection to the host, then run this again.",
    host: context.host,
    cause,
  });
}

/** Ends what a frame runs and says in words how that went. The shell is usable afterwards only if it had told the end. */
async function stopFrame(shell: SessionShell, ender: GroupEnder, frame: RunningFrame): Promise<string> {
  try {
    const group = await within(startLimitMs, frame.started, "its start was not reported");
    if (group === undefined) throw new ShellFailure("its process id was not reported");
    const words = describeGroupEnd(await ender.end(group));
    await within(endLimitMs, frame.ended, "its end was not reported");
    return words;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    shell.abandon("a command in it could not be ended");
    return `whether it was ended is not known (${reason})`;
  }
}

function inDoubt(context: CommandContext, command: string, reason: string, cause?: unknown): StorageError {
  return new StorageError({
    kind: "OperationInDoubt",
    action: `learn the outcome of \`${command}\``,
    reason: mask(reason, context.secrets),
    nextStep: "It may have done its work, part of it or nothing. Run again: what is there is read first.",
    host: context.host,
    cause,
  });
}

function cancelled(context: CommandContext, command: string, how: string): StorageError {
  return new StorageError({
    kind: "Cancelled",
    action: `finish \`${command}\``,
    reason: `stopped on request: ${how}`,
    host: context.host,
  });
}

/** The timeout and the abort of a command, as a promise that may never settle. */
class Interruption {
  readonly promise: Promise<"timeout" | "abort">;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #signal: AbortSignal | undefined;
  #onAbort: () => void = () => {};

  constructor(timeoutMs: number | undefined, signal: AbortSignal | undefined) {
    const { promise, resolve } = deferred<"timeout" | "abort">();
    this.promise = promise;
    this.#timer = timeoutMs === undefined ? undefined : setTimeout(() => resolve("timeout"), timeoutMs);
    this.#signal = signal;
    this.#onAbort = () => resolve("abort");
    if (signal?.aborted === true) resolve("abort");
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}

async function within<T>(limitMs: number, promise: Promise<T>, otherwise: string): Promise<T> {
  const late = deferred<never>();
  const timer = setTimeout(() => late.reject(new ShellFailure(otherwise)), limitMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
