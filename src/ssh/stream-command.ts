import { once } from "node:events";
import { Readable, type Writable } from "node:stream";
import { type Argument, StorageError } from "../contract/index.ts";
import { type CommandContext, type FrameOptions, runFrame } from "./command.ts";
import { deferred } from "./deferred.ts";
import type { GroupEnder } from "./process-groups.ts";
import { displayCommand } from "./quote.ts";
import type { RunningFrame, SessionShell } from "./session-shell.ts";

export interface StreamEnds {
  readonly stdin?: Readable | undefined;
  readonly stdout?: Writable | undefined;
}

const stderrLimit = 1_048_576;

/**
 * Runs one command in a shell that ends with it, its input and output being the streams'.
 *
 * The input is destroyed where the command ends without having read it all. The output is not ended: that is for its owner.
 *
 * @throws ShellFailure where nothing was sent.
 * @throws StorageError `OperationInDoubt`, `Cancelled`, or `VolumeBackendError` where one of the streams failed (the command is ended then).
 */
export async function runStream(
  context: CommandContext,
  shell: SessionShell,
  ender: GroupEnder,
  argv: readonly Argument[],
  streams: StreamEnds,
  options: Pick<FrameOptions, "label" | "timeoutMs" | "signal">,
): Promise<{ readonly stderr: Buffer; readonly exitCode: number }> {
  const input = streams.stdin ?? Readable.from([]);
  const output = new Output(shell, streams.stdout);
  const stderr: Buffer[] = [];
  let stderrSize = 0;
  const sinks = {
    stdout: (chunk: Buffer) => output.take(chunk),
    stderr: (chunk: Buffer) => {
      if (stderrSize < stderrLimit) stderr.push(chunk);
      stderrSize += chunk.length;
    },
  };
  const failing = deferred<never>();
  failing.promise.catch(() => {});
  const onFailure = (which: string) => (cause: Error) => {
    failing.reject(
      new StorageError({
        kind: "VolumeBackendError",
        action: `run \`${options.label ?? displayCommand(argv, context.secrets)}\``,
        reason: `the stream of its ${which} failed: ${cause.message}; the command was ended`,
        host: context.host,
        cause,
      }),
    );
  };
  const onInputError = onFailure("input");
  const onOutputError = (cause: Error) => {
    output.drop();
    onFailure("output")(cause);
  };
  // Nobody takes what is written to a closed stream, and none of its other events ever comes.
  const onOutputClose = () => {
    if (streams.stdout?.writableFinished !== true) onOutputError(new Error("it was closed"));
  };
  input.on("error", onInputError);
  streams.stdout?.on("error", onOutputError);
  streams.stdout?.on("close", onOutputClose);
  if (streams.stdout?.closed === true) onOutputClose();
  let isSent = false;
  const begin = (frame: RunningFrame) => {
    isSent = true;
    // Not before the command has started: the shell must not take its input for script.
    frame.started.then(
      () => input.pipe(shell.input),
      () => {},
    );
    return failing.promise;
  };
  const frameOptions = { ...options, input: { from: "channel" }, lock: false } as const;
  try {
    const { exitCode } = await runFrame(context, shell, ender, argv, frameOptions, sinks, begin);
    await Promise.race([output.drained(options.signal), failing.promise]);
    return { exitCode, stderr: Buffer.concat(stderr) };
  } finally {
    input.unpipe(shell.input);
    input.off("error", onInputError);
    streams.stdout?.off("error", onOutputError);
    streams.stdout?.off("close", onOutputClose);
    if (isSent && !input.readableEnded) input.on("error", () => {}).destroy();
  }
}

/** Writes to a stream, and holds the shell's output up while that is slower. */
class Output {
  readonly #shell: SessionShell;
  #stream: Writable | undefined;
  #isPaused = false;

  constructor(shell: SessionShell, stream: Writable | undefined) {
    this.#shell = shell;
    this.#stream = stream;
  }

  take(chunk: Buffer): void {
    const stream = this.#stream;
    if (stream === undefined || stream.write(chunk) || this.#isPaused) return;
    this.#isPaused = true;
    this.#shell.pauseOutput();
    stream.once("drain", () => {
      this.#isPaused = false;
      this.#shell.resumeOutput();
    });
  }

  /** Takes everything from now on, to no end. */
  drop(): void {
    this.#stream = undefined;
    this.#shell.resumeOutput();
  }

  /** @throws StorageError `Cancelled` */
  async drained(signal: AbortSignal | undefined): Promise<void> {
    if (this.#stream?.writableNeedDrain !== true) return;
    try {
      await once(this.#stream, "drain", signal === undefined ? {} : { signal });
    } catch (cause) {
      if (signal?.aborted !== true) throw cause;
      throw new StorageError({
        kind: "Cancelled",
        action: "pass on the output of a command",
        reason: "stopped on request",
        cause,
      });
    }
  }
}
