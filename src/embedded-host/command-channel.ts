import { type ChildProcessByStdio, spawn } from "node:child_process";
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import type { ServerChannel } from "ssh2";
import { forgetSentChunk } from "./ssh2-internals.ts";

type Command = ChildProcessByStdio<Writable, Readable, Readable>;

/** Signal names that RFC 4254 section 6.10 lets a server report, with the SIG that Node has and SSH has not. */
const reportableSignals = new Set(
  ["ABRT", "ALRM", "FPE", "HUP", "ILL", "INT", "KILL", "PIPE", "QUIT", "SEGV", "TERM", "USR1", "USR2"].map(
    (name) => `SIG${name}`,
  ),
);

export interface CommandSettings {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * One command on one channel, as sshd runs it without a pty: a session of its own, exit status as soon
 * as the command has ended, the channel closed once nobody holds its stdout or stderr any more.
 */
export class CommandChannel {
  readonly #channel: ServerChannel;
  readonly #child: Command;
  /** Settles once the command has ended and its end is reported. */
  readonly ended: Promise<void>;

  /** Starts `sh -c command`. A shell that cannot be started reports status 127, as a shell would. */
  constructor(channel: ServerChannel, command: string, settings: CommandSettings) {
    this.#channel = channel;
    this.#child = spawn("sh", ["-c", command], {
      cwd: settings.cwd,
      env: settings.env,
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    channel.on("error", () => this.disconnect());
    this.ended = new Promise((resolve) => {
      this.#child
        .on("error", (error) => resolve(this.#reportFailure(error)))
        .on("exit", (status, signal) => resolve(this.#reportExit(status, signal)));
    });
    this.#connectStdin();
    void this.#forwardOutput();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Signals the whole process group, as OpenSSH does since 7.9. `name` is without its SIG. */
  signal(name: string): void {
    const { pid } = this.#child;
    const signal = `SIG${name}`;
    if (pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    if (!reportableSignals.has(signal)) return;
    try {
      process.kill(-pid, signal as NodeJS.Signals);
    } catch {
      // It ended at the same moment.
    }
  }

  /** The client closed the channel: what it sent still goes in, nothing comes out, the command lives on. */
  close(): void {
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
  }

  /** The connection is gone: all pipes close, the command lives on. */
  disconnect(): void {
    this.#child.stdin.destroy();
    this.close();
  }

  #connectStdin(): void {
    const { stdin } = this.#child;
    this.#channel.pipe(stdin);
    const discard = () => {
      this.#channel.unpipe(stdin);
      this.#channel.resume();
    };
    // A command that has stopped reading must not fill the client's window.
    stdin.on("error", discard).on("close", discard);
  }

  async #forwardOutput(): Promise<void> {
    let last: Promise<void> = Promise.resolve();
    const forward = async (from: Readable, to: Writable) => {
      for await (const chunk of from) {
        last = last.then(() => this.#write(to, chunk));
        await last;
      }
    };
    const { stdout, stderr } = this.#child;
    await Promise.allSettled([forward(stdout, this.#channel), forward(stderr, this.#channel.stderr)]);
    await this.ended;
    this.#channel.end();
  }

  #write(to: Writable, chunk: Buffer): Promise<void> {
    forgetSentChunk(this.#channel);
    return new Promise((resolve, reject) => {
      to.write(chunk, (error) => (error ? reject(error) : resolve()));
    });
  }

  #reportFailure(error: Error): void {
    this.#channel.stderr.write(`sh: ${error.message}\n`);
    this.#channel.exit(127);
  }

  #reportExit(status: number | null, signal: NodeJS.Signals | null): void {
    if (status !== null) this.#channel.exit(status);
    else if (signal === null) this.#channel.exit(255);
    else if (reportableSignals.has(signal)) this.#channel.exit(signal.slice(3));
    // SSH has no name for it: reported as a shell would.
    else this.#channel.exit(128 + constants.signals[signal]);
  }
}
