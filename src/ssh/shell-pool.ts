import { setTimeout as delay } from "node:timers/promises";
import { StorageError } from "../contract/index.ts";
import { Aborted } from "./abort.ts";
import { ChannelRefused, type Connection } from "./connection.ts";
import { type Deferred, deferred } from "./deferred.ts";
import type { DebugLog } from "./log.ts";
import { newPrivilege, SessionShell, ShellFailure } from "./session-shell.ts";
import { type HostSettings, settingDefaults } from "./settings.ts";

/** What a shell is wanted for. Each purpose can always get one, whatever the others hold: that rules deadlocks out. */
export type Purpose = "command" | "lock" | "stream" | "jobs";

/** A shell for one user at a time. */
export interface Lease {
  readonly shell: SessionShell;
  /** Gives the shell back; `reusable` where nothing in it could disturb a later command. */
  release(reusable: boolean): void;
}

interface Waiter {
  readonly purpose: Purpose;
  readonly promise: Deferred<Lease>;
}

/** With the shell that ends process groups, 8: OpenSSH allows 10, and counts closed ones for a while. */
const shellLimit = 7;
/** Below this not every purpose can have a shell. */
const fewestShells = 4;
const reserved: Readonly<Record<Purpose, number>> = { command: 1, lock: 1, stream: 1, jobs: 1 };
const refusalPausesMs = [100, 200, 400, 800, 1_600, 3_200];

/** The session shells of one connection. */
export class ShellPool {
  readonly #connection: Connection;
  readonly #settings: HostSettings;
  readonly #log: DebugLog;
  readonly #onChannel: () => void;
  readonly #shells = new Set<SessionShell>();
  readonly #leased: Record<Purpose, number> = { command: 0, lock: 0, stream: 0, jobs: 0 };
  #idle: SessionShell[] = [];
  #waiting: Waiter[] = [];
  #opening = 0;
  #limit = shellLimit;

  constructor(connection: Connection, settings: HostSettings, log: DebugLog, onChannel: () => void) {
    this.#connection = connection;
    this.#settings = settings;
    this.#log = log;
    this.#onChannel = onChannel;
    void connection.closed.then(() => this.#rejectAll(new ShellFailure("the connection was lost")));
  }

  /**
   * A shell of one's own, as soon as there is one.
   *
   * @throws StorageError `BackendUnreachable` where the host gives no shell.
   * @throws Aborted where `signal` was.
   * @throws ShellFailure where the connection went: another one may do better.
   */
  async lease(purpose: Purpose, signal: AbortSignal): Promise<Lease> {
    if (signal.aborted) throw new Aborted();
    if (!this.#connection.isOpen) throw new ShellFailure("the connection was lost");
    const waiter: Waiter = { purpose, promise: deferred() };
    const onAbort = () => {
      this.#waiting = this.#waiting.filter((other) => other !== waiter);
      waiter.promise.reject(new Aborted());
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#waiting.push(waiter);
    this.#serve();
    try {
      return await waiter.promise.promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /**
   * A shell beyond the limit, for the one who ends process groups.
   *
   * @throws StorageError `BackendUnreachable`, or ShellFailure where the connection went.
   */
  async openSpare(): Promise<SessionShell> {
    return this.#open();
  }

  /** Lets every shell end that is not in use. */
  end(): void {
    this.#rejectAll(new ShellFailure("the connection was closed"));
    for (const shell of this.#idle) shell.end();
    this.#idle = [];
  }

  #serve(): void {
    const held = { ...this.#leased };
    let toOpen = 0;
    for (const waiter of [...this.#waiting]) {
      if (!this.#mayHold(held, waiter.purpose)) continue;
      held[waiter.purpose]++;
      const shell = this.#takeIdle();
      if (shell === undefined) toOpen++;
      else this.#give(waiter, shell);
    }
    while (toOpen > this.#opening && this.#shells.size + this.#opening < this.#limit) void this.#grow();
    if (this.#waiting.length > 0 && this.#isStuck()) this.#rejectAll(this.#tooFewSessions());
  }

  /** Every shell is held for as long as somebody likes, who may be waiting for those that wait here. */
  #isStuck(): boolean {
    const isScarce = this.#limit < fewestShells && this.#opening === 0;
    return isScarce && this.#shells.size > 0 && this.#leased.lock + this.#leased.jobs >= this.#shells.size;
  }

  #mayHold(held: Readonly<Record<Purpose, number>>, purpose: Purpose): boolean {
    const most = Math.min(this.#settings.maxSessionShells ?? settingDefaults.maxSessionShells, shellLimit);
    if (purpose === "command" && held.command >= most) return false;
    // One waits for all jobs.
    if (purpose === "jobs" && held.jobs >= 1) return false;
    const after = { ...held, [purpose]: held[purpose] + 1 };
    const kept = (Object.keys(reserved) as Purpose[]).reduce(
      (sum, other) => sum + Math.max(after[other], reserved[other]),
      0,
    );
    return kept <= this.#limit || after[purpose] <= reserved[purpose];
  }

  #takeIdle(): SessionShell | undefined {
    for (let shell = this.#idle.pop(); shell !== undefined; shell = this.#idle.pop()) {
      if (shell.isUsable) return shell;
    }
    return undefined;
  }

  #give(waiter: Waiter, shell: SessionShell): void {
    const { purpose } = waiter;
    this.#waiting = this.#waiting.filter((other) => other !== waiter);
    this.#leased[purpose]++;
    let isReleased = false;
    const release = (reusable: boolean) => {
      if (isReleased) return;
      isReleased = true;
      this.#leased[purpose]--;
      if (reusable && shell.isUsable && this.#shells.size <= this.#limit) this.#idle.push(shell);
      else shell.end();
      this.#serve();
    };
    waiter.promise.resolve({ shell, release });
  }

  async #grow(): Promise<void> {
    this.#opening++;
    try {
      const shell = await this.#openPatiently();
      if (shell === undefined) return;
      this.#shells.add(shell);
      void shell.closed.then(() => {
        this.#shells.delete(shell);
        this.#idle = this.#idle.filter((other) => other !== shell);
        this.#serve();
      });
      this.#idle.push(shell);
    } catch (error) {
      // As long as there are shells, those who wait will get one.
      if (this.#shells.size === 0) this.#rejectAll(error);
    } finally {
      this.#opening--;
      this.#serve();
    }
  }

  /** Undefined where the server allows no more shells than there are. */
  async #openPatiently(): Promise<SessionShell | undefined> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#open();
      } catch (error) {
        if (!(error instanceof ChannelRefused)) throw error;
        const pause = refusalPausesMs[attempt];
        // Closed channels count for a while: where there are only few shells, it is worth waiting for that.
        if (this.#shells.size < fewestShells && pause !== undefined) {
          await delay(pause);
          continue;
        }
        if (this.#shells.size === 0) throw this.#tooFewSessions(error);
        // One less than there are, for the shell that ends process groups.
        this.#limit = Math.max(1, this.#shells.size - 1);
        this.#log.debug("fewer shells", { host: this.#settings.name, limit: this.#limit });
        return undefined;
      }
    }
  }

  async #open(): Promise<SessionShell> {
    const privilege = newPrivilege(this.#settings.become ?? { method: "none" });
    const limitMs = 2 * (this.#settings.perDialTimeoutMs ?? settingDefaults.perDialTimeoutMs);
    try {
      const channel = await this.#connection.exec(privilege.command);
      this.#onChannel();
      const shell = await SessionShell.prepare(channel, privilege, limitMs, () =>
        this.#connection.isOpen ? "the channel was closed" : "the connection was lost",
      );
      if (shell.missing.length > 0) {
        shell.end();
        throw new ShellFailure(`the host lacks ${shell.missing.join(", ")}`);
      }
      return shell;
    } catch (error) {
      if (error instanceof ChannelRefused) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      if (!this.#connection.isOpen) throw new ShellFailure(reason);
      throw this.#noShell(reason, error);
    }
  }

  #noShell(reason: string, cause: unknown): StorageError {
    const { become, name, user } = this.#settings;
    const method = become?.method ?? "none";
    return new StorageError({
      kind: "BackendUnreachable",
      action: method === "none" ? "start a shell" : `start a shell with ${method}`,
      reason,
      nextStep:
        method === "none"
          ? "The user's login shell must run commands, and sh, setsid, flock and /proc must be there."
          : `Let ${user} run "sh" with ${method}, or correct the password.`,
      host: name,
      cause,
    });
  }

  #tooFewSessions(cause?: unknown): StorageError {
    return new StorageError({
      kind: "BackendUnreachable",
      action: "start a shell",
      reason: `the server allows no more than the ${this.#shells.size} sessions that are open`,
      nextStep: `Set MaxSessions in the host's sshd_config to ${fewestShells + 1} or more (its default is 10).`,
      host: this.#settings.name,
      cause,
    });
  }

  #rejectAll(error: unknown): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) waiter.promise.reject(error);
  }
}
