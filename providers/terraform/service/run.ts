import type { Diagnostic, HookContext, Logger, Provider, Values } from "../../../resources/schema/index.ts";
import { type Fleet, type FleetEnd, PlannedSpace } from "../../../src/backend/index.ts";

/** What one client's calls have in common: the fleet that its settings describe, and whether the user has stopped it. */
export class Run {
  readonly #logger: Logger;
  readonly #operations = new Set<Promise<unknown>>();
  #fleet: Fleet | null = null;
  #stop = new AbortController();
  /** An engine plans each creation once for each time that it configures the provider. */
  #plannedNames = new Set<string>();
  #plannedSpace = new PlannedSpace();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Null before `configure`, and while a part of the settings is unknown. */
  get fleet(): Fleet | null {
    return this.#fleet;
  }

  /** Takes new settings; what was cached under the old ones is forgotten. Null: not all of them are known yet. */
  async configure(provider: Provider, settings: Values | null): Promise<void> {
    await this.close({ stateIsKept: false });
    this.#stop = new AbortController();
    this.#plannedNames = new Set();
    this.#plannedSpace = new PlannedSpace();
    this.#fleet = settings === null ? null : await provider.configure(settings, this.#logger);
    this.#logger.log("debug", "provider configured", { settings_known: settings !== null });
  }

  /** Aborts whatever is under way, and whatever comes before the next `configure`. */
  stop(): void {
    if (this.#operations.size > 0) {
      this.#logger.log("info", "operations interrupted", { operations: this.#operations.size });
    }
    this.#stop.abort(new Error("Interrupted by the user."));
  }

  /** Closes the fleet once nothing uses it any more; `stop` first, so that this is soon. */
  async close(end: FleetEnd): Promise<void> {
    const fleet = this.#fleet;
    this.#fleet = null;
    await Promise.allSettled(this.#operations);
    await fleet?.close(end);
  }

  /** Runs what uses the fleet. */
  async operate<T>(operation: () => Promise<T>): Promise<T> {
    const running = operation();
    this.#operations.add(running);
    try {
      return await running;
    } finally {
      this.#operations.delete(running);
    }
  }

  /** Null while there is no fleet. */
  context(warn: (diagnostic: Omit<Diagnostic, "severity">) => void): HookContext | null {
    if (this.#fleet === null) return null;
    return {
      fleet: this.#fleet,
      signal: this.#stop.signal,
      plannedNames: this.#plannedNames,
      plannedSpace: this.#plannedSpace,
      warn,
    };
  }
}
