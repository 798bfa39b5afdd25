import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Argument, CommandResult, Executor, JobSpec, RunOptions } from "../../src/contract/index.ts";

export interface LocalExecutorOptions {
  /** In place of this process's PATH. */
  readonly path?: string | undefined;
  /** The shell that takes the place of `sh`. */
  readonly shell?: readonly string[] | undefined;
}

/** Runs commands on this machine as the contract says a host does, for tests of what stands on an executor. */
export class LocalExecutor implements Executor {
  readonly host = "here";
  /** How many commands have run. */
  commands = 0;
  readonly #options: LocalExecutorOptions;

  constructor(options: LocalExecutorOptions = {}) {
    this.#options = options;
  }

  async run(argv: readonly Argument[], options: RunOptions = {}): Promise<CommandResult> {
    this.commands += 1;
    const { path = process.env["PATH"], shell } = this.#options;
    const texts = argv.map(textOf);
    const command = texts[0] === "sh" && shell !== undefined ? [...shell, ...texts.slice(1)] : texts;
    const child = spawn("/bin/sh", ["-c", 'umask 077; exec "$@"', "sh", ...command], {
      cwd: "/",
      detached: true,
      env: { ...process.env, LC_ALL: "C", PATH: path },
      stdio: ["pipe", "pipe", "pipe"],
    });
    // A command may end without having read all that it is given.
    child.stdin.on("error", () => {});
    child.stdin.end(options.stdin ?? "");
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    const [code, signal] = await once(child, "close");
    return {
      stdout: Buffer.concat(stdout),
      stderr: Buffer.concat(stderr),
      exitCode: typeof code === "number" ? code : 128 + (signal === "SIGKILL" ? 9 : 15),
    };
  }

  /** Holds `lockFile` by flock(1) for as long as `use` runs; other processes do wait for it. */
  async withLock<T>(lockFile: string, use: (locked: Executor) => Promise<T>): Promise<T> {
    const holder = spawn("flock", [lockFile, "sh", "-c", "echo held; cat"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    try {
      await firstOutput(holder, lockFile);
      // A new executor for each holding of the lock, as a host does it.
      return await use({ host: this.host, run: (argv, options) => this.run(argv, options) });
    } finally {
      const ended = holder.exitCode === null ? once(holder, "exit") : undefined;
      holder.stdin.end();
      await ended;
    }
  }

  /** Runs the job's command, in the foreground and without a record. */
  async runJob(job: JobSpec): Promise<CommandResult> {
    return this.run(job.argv);
  }
}

async function firstOutput(holder: ChildProcess, lockFile: string): Promise<void> {
  const failed = once(holder, "exit").then(([code]) => {
    throw new Error(`flock ${lockFile} ended with ${code}`);
  });
  if (holder.stdout !== null) await Promise.race([once(holder.stdout, "data"), failed]);
  failed.catch(() => {});
}

function textOf(argument: Argument): string {
  return typeof argument === "string" ? argument : new TextDecoder("utf-8", { fatal: true }).decode(argument);
}
