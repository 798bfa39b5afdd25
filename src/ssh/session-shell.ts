import { randomBytes } from "node:crypto";
import type { ClientChannel } from "ssh2";
import { type Deferred, deferred } from "./deferred.ts";
import { FrameReader } from "./frame-reader.ts";
import type { ByteWriter } from "./frame-script.ts";
import { bootstrap, setUpScript } from "./frame-script.ts";
import type { Become } from "./settings.ts";

/** Why a shell is of no use (any more), in words for a message. */
export class ShellFailure extends Error {}

/** A process group on the host: its id, and when its leader started, which tells it from a later one of that id. */
export interface ProcessGroup {
  readonly id: number;
  /** In clock ticks since boot: field 22 of /proc/<pid>/stat. */
  readonly startTime: string;
}

/** A frame on its way through a shell. */
export interface RunningFrame {
  /** Resolves once the command has started; rejects as `ended` does. */
  readonly started: Promise<ProcessGroup | undefined>;
  /** Rejects with `ShellFailure` where the shell went before it had told the end. */
  readonly ended: Promise<FrameEnd>;
}

export interface FrameEnd {
  readonly exitCode: number;
  /** Something of the command's process group is still alive. */
  readonly leftover: boolean;
}

export interface FrameSinks {
  readonly stdout: (chunk: Buffer) => void;
  readonly stderr: (chunk: Buffer) => void;
}

interface Current {
  readonly stdout: FrameReader;
  readonly stderr: FrameReader;
  readonly start: Deferred<ProcessGroup | undefined>;
  readonly end: Deferred<FrameEnd>;
}

const exitGraceMs = 2_000;

/** A `sh` on a channel of its own, with the host's privilege, that takes one frame at a time. */
export class SessionShell {
  readonly #channel: ClientChannel;
  /** How frames bring small input. */
  readonly writer: ByteWriter;
  /** Tools the host lacks. */
  readonly missing: readonly string[];
  readonly closed: Promise<void>;
  #current: Current | undefined;
  #failure: ShellFailure | undefined;
  /** How the shell has ended, in words. */
  #exit: string | undefined;
  #isPaused = false;
  #isClosed = false;
  #grace: NodeJS.Timeout | undefined;

  private constructor(channel: ClientChannel, prepared: string, whyClosed: () => string) {
    const [writer, ...missing] = prepared.split(" ");
    this.#channel = channel;
    this.writer = writer === "printf" || writer === "print" ? writer : "none";
    this.missing = missing;
    channel.on("data", (chunk: Buffer) => this.#take("stdout", chunk));
    channel.stderr.on("data", (chunk: Buffer) => this.#take("stderr", chunk));
    this.closed = new Promise((resolve) => {
      channel.once("close", () => {
        this.#isClosed = true;
        this.#waitForOutput();
        this.#fail(this.#exit ?? whyClosed());
        resolve();
      });
    });
    channel.once("exit", (code: number | null, signal?: string) => {
      this.#exit = `the remote shell ${code === null ? `was ended by ${signal ?? "a signal"}` : `ended with status ${code}`}`;
      this.#waitForOutput();
    });
    channel.on("error", () => {});
  }

  /**
   * Turns a channel on which `becomeCommand(become, …)` was started into a shell ready for frames.
   *
   * @throws ShellFailure where the privilege is refused or no shell starts within `limitMs`.
   */
  static async prepare(
    channel: ClientChannel,
    privilege: Privilege,
    limitMs: number,
    whyClosed: () => string,
  ): Promise<SessionShell> {
    const nonce = newNonce();
    const opening = new Opening(channel, limitMs);
    try {
      await opening.line(privilege.nonce, (stderr) => answerPrompt(channel, privilege, stderr));
      channel.write(setUpScript(nonce));
      return new SessionShell(channel, await opening.line(nonce), whyClosed);
    } catch (error) {
      channel.on("error", () => {});
      channel.close();
      throw error;
    } finally {
      opening.stop();
    }
  }

  get isUsable(): boolean {
    return this.#failure === undefined && this.#channel.writable;
  }

  /**
   * Sends a frame. From this call on the command may run.
   *
   * @throws ShellFailure where nothing was sent because the shell is gone.
   */
  send(script: (nonce: string) => Buffer, sinks: FrameSinks): RunningFrame {
    if (!this.isUsable) throw this.#failure ?? new ShellFailure("the channel was closed");
    if (this.#current !== undefined) throw new Error("A frame is already running.");
    const nonce = newNonce();
    const bytes = script(nonce);
    const current: Current = {
      stdout: new FrameReader(nonce, sinks.stdout),
      stderr: new FrameReader(nonce, sinks.stderr),
      start: deferred<ProcessGroup | undefined>(),
      end: deferred<FrameEnd>(),
    };
    // Whoever waits for one of the two has the failure; the other must not count as unhandled.
    current.start.promise.catch(() => {});
    current.end.promise.catch(() => {});
    this.#current = current;
    this.#channel.write(bytes);
    return { started: current.start.promise, ended: current.end.promise };
  }

  /** What a frame with input from the channel reads. */
  get input(): NodeJS.WritableStream {
    return this.#channel;
  }

  pauseOutput(): void {
    this.#isPaused = true;
    this.#channel.pause();
    this.#waitForOutput();
  }

  resumeOutput(): void {
    this.#isPaused = false;
    this.#channel.resume();
    this.#waitForOutput();
  }

  /** Lets the shell end by itself when it has done what it was sent. */
  end(): void {
    this.#failure ??= new ShellFailure("the shell was ended");
    this.#channel.end();
  }

  /** Gives the shell up: what runs in it is not waited for any longer. */
  abandon(reason: string): void {
    this.#fail(reason);
    this.#channel.end();
    this.#channel.close();
  }

  /**
   * Gives a shell that has ended some time for the last of its output, which the status can overtake: a process that holds the
   * output keeps the channel open. Output that we hold up ourselves has all the time that its reader takes.
   */
  #waitForOutput(): void {
    clearTimeout(this.#grace);
    const words = this.#exit;
    if (words === undefined || this.#isPaused || this.#isClosed) return;
    this.#grace = setTimeout(() => {
      // What has come while this process was busy is read first.
      setImmediate(() => {
        if (this.#isPaused) return;
        this.#fail(words);
        this.#channel.close();
      });
    }, exitGraceMs);
  }

  #take(stream: "stdout" | "stderr", chunk: Buffer): void {
    const current = this.#current;
    if (current === undefined) return;
    const hadBegun = current.stdout.begin !== undefined;
    current[stream].push(chunk);
    if (!hadBegun && current.stdout.begin !== undefined) {
      current.start.resolve(processGroup(current.stdout.begin));
    }
    if (current.stdout.end === undefined || current.stderr.end === undefined) return;
    this.#current = undefined;
    const [exitCode, leftover] = current.stdout.end.split(" ");
    current.end.resolve({ exitCode: Number(exitCode), leftover: leftover === "1" });
  }

  #fail(reason: string): void {
    this.#failure ??= new ShellFailure(reason);
    this.#current?.start.reject(this.#failure);
    this.#current?.end.reject(this.#failure);
    this.#current = undefined;
  }
}

/** From a line of /proc/<pid>/stat (proc_pid_stat(5)): the process that becomes the leader of a group of its id. */
function processGroup(stat: string): ProcessGroup | undefined {
  const id = Number.parseInt(stat, 10);
  const startTime = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  return Number.isInteger(id) && startTime !== undefined ? { id, startTime } : undefined;
}

/** How a shell is started with a privilege. */
export interface Privilege {
  /** For an exec channel; understood by any login shell. */
  readonly command: string;
  /** Printed by the privileged shell when it is there. */
  readonly nonce: string;
  /** What the privilege's tool prints when it wants the password. */
  readonly prompt: string;
  readonly password: string | undefined;
}

export function newPrivilege(become: Become): Privilege {
  const nonce = newNonce();
  const prompt = newNonce();
  const password = become.method === "sudo" ? become.password : undefined;
  return { command: `exec ${becomePrefix(become, prompt)}${bootstrap(nonce)}`, nonce, prompt, password };
}

function becomePrefix(become: Become, prompt: string): string {
  switch (become.method) {
    case "none":
      return "";
    case "sudo":
      // -k: always ask, so that no login of somebody else's decides whether the password is right.
      return become.password === undefined ? "sudo -n -- " : `sudo -S -p ${prompt} -k -- `;
    case "doas":
      return "doas -n ";
  }
}

/** Answers the first prompt; a second one means that the password was wrong. */
function answerPrompt(channel: ClientChannel, privilege: Privilege, stderr: PromptState): void {
  const asked = stderr.text.split(privilege.prompt).length - 1;
  if (asked <= stderr.answered) return;
  stderr.answered = asked;
  if (privilege.password === undefined || asked > 1)
    throw new ShellFailure("sudo did not accept the password");
  channel.write(`${privilege.password}\n`);
}

interface PromptState {
  text: string;
  answered: number;
}

const openingOutputLimit = 65_536;

/** Reads a channel until the shell is ready, over whatever the login shell's start-up files print. */
class Opening {
  readonly #channel: ClientChannel;
  readonly #stderr: PromptState = { text: "", answered: 0 };
  readonly #timer: NodeJS.Timeout;
  readonly #onData = (chunk: Buffer) => {
    this.#stdout = (this.#stdout + chunk.toString("latin1")).slice(-openingOutputLimit);
    this.#look();
  };
  readonly #onError = (chunk: Buffer) => {
    this.#stderr.text = (this.#stderr.text + chunk.toString("latin1")).slice(-openingOutputLimit);
    this.#look();
  };
  readonly #onExit = (code: number | null, signal?: string) => {
    this.#status = code === null ? ` (${signal ?? "signal"})` : ` (status ${code})`;
  };
  readonly #onClose = () => this.#fail(`no shell started${this.#status}`);
  #stdout = "";
  #status = "";
  #look: () => void = () => {};
  #waiting: Deferred<string> | undefined;
  #failure: ShellFailure | undefined;

  constructor(channel: ClientChannel, limitMs: number) {
    this.#channel = channel;
    this.#timer = setTimeout(() => this.#fail(`no shell was ready within ${limitMs} ms`), limitMs);
    channel.on("data", this.#onData);
    channel.stderr.on("data", this.#onError);
    channel.on("exit", this.#onExit);
    channel.on("close", this.#onClose);
  }

  /** The rest of the line that starts with `nonce`. */
  line(nonce: string, onStderr: (state: PromptState) => void = () => {}): Promise<string> {
    const waiting = deferred<string>();
    this.#waiting = waiting;
    if (this.#failure !== undefined) waiting.reject(this.#failure);
    this.#look = () => {
      try {
        onStderr(this.#stderr);
      } catch (error) {
        waiting.reject(error);
      }
      const start = this.#stdout.indexOf(nonce);
      const stop = start < 0 ? -1 : this.#stdout.indexOf("\n", start);
      if (stop < 0) return;
      waiting.resolve(this.#stdout.slice(start + nonce.length, stop));
      this.#stdout = this.#stdout.slice(stop + 1);
    };
    this.#look();
    return waiting.promise;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#channel.off("data", this.#onData);
    this.#channel.stderr.off("data", this.#onError);
    this.#channel.off("exit", this.#onExit);
    this.#channel.off("close", this.#onClose);
  }

  #fail(reason: string): void {
    const said = this.#stderr.text
      .replaceAll(/\b[0-9a-f]{32}\b/g, "")
      .trim()
      .split("\n")
      .slice(-3)
      .join(" ");
    this.#failure = new ShellFailure(said === "" ? reason : `${reason}: ${said}`);
    this.#waiting?.reject(this.#failure);
  }
}

function newNonce(): string {
  return randomBytes(16).toString("hex");
}
