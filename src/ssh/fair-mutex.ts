import { unlessAborted } from "./abort.ts";
import { deferred } from "./deferred.ts";

/** One holder a key, in the order of asking. */
export class FairMutex {
  readonly #tails = new Map<string, Promise<void>>();

  /** Resolves to the release once it is one's turn; rejects with `Aborted` where `signal` was, leaving the turn to the next. */
  async take(key: string, signal: AbortSignal): Promise<() => void> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const turn = deferred<void>();
    const tail = before.then(() => turn.promise);
    this.#tails.set(key, tail);
    void tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    try {
      await unlessAborted(before, signal);
      return turn.resolve;
    } catch (error) {
      turn.resolve();
      throw error;
    }
  }
}
