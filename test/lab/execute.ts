import { spawn } from "node:child_process";
import { findCommand } from "../support/commands.ts";

export interface Executed {
  /** The exit code; null when a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecuteOptions {
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds after which the command is killed; 5 minutes by default. */
  readonly timeoutMs?: number;
}

/** Runs a command of this machine, looked for in the sbin directories too, and waits for its end. */
export function attempt(
  command: string,
  args: readonly string[],
  options: ExecuteOptions = {},
): Promise<Executed> {
  const { input, cwd, env = process.env, timeoutMs = 300_000 } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(findCommand(command) ?? command, args, { cwd, env, timeout: timeoutMs });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.on("error", reject);
    child.on("close", (status) =>
      resolve({ status, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    );
    // A command need not read what it is given.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

/** As `attempt`; anything but success is an error with what the command said. Gives its standard output. */
export async function execute(
  command: string,
  args: readonly string[],
  options?: ExecuteOptions,
): Promise<string> {
  const { status, stdout, stderr } = await attempt(command, args, options);
  if (status === 0) return stdout;
  throw new Error(
    `${command} ${args.join(" ")} ended with ${status}: ${(stderr || stdout).trim().slice(-2000)}`,
  );
}
