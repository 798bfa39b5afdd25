/**
 * The copies that this process has under way, by the id of the volume that they are made of. Engines carry out in parallel
 * what does not depend on each other: work that a copy stands in the way of waits for it, where it is our own.
 */
export class OwnCopies {
  readonly #underWay = new Map<string, Set<Promise<void>>>();

  /** Notes a copy until the returned function is called. */
  begin(sourceId: string): () => void {
    const copies = this.#underWay.get(sourceId) ?? new Set();
    this.#underWay.set(sourceId, copies);
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    copies.add(ended);
    return () => {
      copies.delete(ended);
      if (copies.size === 0) this.#underWay.delete(sourceId);
      end();
    };
  }

  /**
   * Resolves when the copies that are under way now have ended, well or not, or when `signal` aborts; undefined when
   * there are none.
   */
  ended(sourceId: string, signal: AbortSignal | undefined): Promise<unknown> | undefined {
    const copies = this.#underWay.get(sourceId);
    if (copies === undefined) return undefined;
    const aborted = new Promise<void>((resolve) => {
      if (signal?.aborted === true) resolve();
      signal?.addEventListener("abort", () => resolve(), { once: true });
    });
    return Promise.race([Promise.all(copies), aborted]);
  }
}
