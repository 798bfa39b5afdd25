import { type ChildProcess, spawn } from "node:child_process";

export interface Command {
  readonly path: string;
  readonly args: readonly string[];
  readonly directory: string;
  /** The whole environment: nothing of this process's own is added. */
  readonly environment: Readonly<Record<string, string>>;
  /** When aborted, the command is interrupted as by Ctrl-C and waited for. */
  readonly signal: AbortSignal;
}

export interface CommandResult {
  readonly exitCode: number | null;
  /** Standard output and error, in the order in which they came. */
  readonly output: string;
}

/** How long an interrupted engine may take to save its state, in ms. */
const patience = 20_000;

/** Runs a command to its end, whatever its exit code. Rejects when it cannot be started or `signal` was aborted. */
export async function runCommand(command: Command): Promise<CommandResult> {
  command.signal.throwIfAborted();
  const child = spawn(command.path, command.args, {
    cwd: command.directory,
    env: command.environment,
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own: Ctrl-C reaches the quickstart alone, which then ends the engine in good order.
    detached: true,
  });
  const interrupt = () => endGroup(child);
  command.signal.addEventListener("abort", interrupt, { once: true });
  try {
    const result = await resultOf(child);
    command.signal.throwIfAborted();
    return result;
  } finally {
    command.signal.removeEventListener("abort", interrupt);
  }
}

function resultOf(child: ChildProcess): Promise<CommandResult> {
  const chunks: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ exitCode, output: Buffer.concat(chunks).toString() }));
  });
}

function endGroup(child: ChildProcess): void {
  signalGroup(child, "SIGINT");
  const timer = setTimeout(() => signalGroup(child, "SIGKILL"), patience);
  child.on("close", () => clearTimeout(timer));
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended by itself.
  }
}
