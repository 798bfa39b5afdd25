import { isStorageError, StorageError } from "../contract/index.ts";

interface Waiting {
  readonly signal: AbortSignal | undefined;
  run(): Promise<Outcome>;
  refuse(error: unknown): void;
}

/** Whether what is known of the backend is still right after a piece of work. */
type Outcome = "known" | "doubtful";

/**
 * Runs pieces of work one at a time, as many as wait together in one holding of a lock.
 *
 * @typeParam C what a holding gives each piece of work
 */
export class ExclusiveQueue<C> {
  readonly #hold: (signal: AbortSignal, use: (context: C) => Promise<void>) => Promise<void>;
  readonly #waiting: (Waiting & { give(context: C): void })[] = [];
  #running: Promise<void> | undefined;

  /** `hold` takes the lock, calls `use` once, and gives the lock back. `signal` aborts the wait for the lock. */
  constructor(hold: (signal: AbortSignal, use: (context: C) => Promise<void>) => Promise<void>) {
    this.#hold = hold;
  }

  /** Resolves or rejects as `work` does; rejects with the reason when the lock cannot be had. */
  run<T>(signal: AbortSignal | undefined, work: (context: C) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let given: C | undefined;
      this.#waiting.push({
        signal,
        give: (context) => {
          given = context;
        },
        run: async () => {
          try {
            resolve(await work(given as C));
            return "known";
          } catch (error) {
            reject(error);
            return leavesDoubt(error) ? "doubtful" : "known";
          }
        },
        refuse: reject,
      });
      this.#running ??= this.#drain();
    });
  }

  /** Resolves when nothing runs or waits any more. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #drain(): Promise<void> {
    // Let everything that is asked for in this turn wait together.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#holdOnce();
    this.#running = undefined;
  }

  async #holdOnce(): Promise<void> {
    const taking = new AbortController();
    const abandon = (): void => {
      // Waiting for the lock ends early only when nobody waits for it any more.
      if (this.#waiting.every(({ signal }) => signal?.aborted === true)) taking.abort();
    };
    const watched = this.#waiting.map(({ signal }) => signal).filter((signal) => signal !== undefined);
    for (const signal of watched) signal.addEventListener("abort", abandon);
    abandon();
    try {
      await this.#hold(taking.signal, async (context) => {
        for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
          if (next.signal?.aborted === true) {
            next.refuse(cancelled());
            continue;
          }
          next.give(context);
          // What is known under this holding is no longer certain: list again before the next piece of work.
          if ((await next.run()) === "doubtful") return;
        }
      });
    } catch (error) {
      for (const waiting of this.#waiting.splice(0)) {
        if (waiting.signal?.aborted === true) waiting.refuse(cancelled());
        // Whoever came after all others had given up the wait for the lock takes it up again.
        else if (taking.signal.aborted) this.#waiting.push(waiting);
        else waiting.refuse(error);
      }
    } finally {
      for (const signal of watched) signal.removeEventListener("abort", abandon);
    }
  }
}

/** Whether work that ended so may have changed something other than what it reported. A clean refusal has not. */
export function leavesDoubt(error: unknown): boolean {
  return !isStorageError(
    error,
    "VolumeIsBusy",
    "SnapshotIsBusy",
    "VolumeNotFound",
    "SnapshotNotFound",
    "AttachmentNotFound",
    "AlreadyExists",
    "NotOwned",
    "DeletionProtected",
    "InvalidInput",
    "InvalidConnector",
    "NoValidBackend",
    "NotSupported",
  );
}

function cancelled(): StorageError {
  return new StorageError({
    kind: "Cancelled",
    action: "change the backend",
    reason: "Stopped before anything was done",
  });
}
