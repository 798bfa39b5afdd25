import type { Inventory } from "../contract/index.ts";

/** How long after the last news a write is made, in milliseconds: one command then serves a whole refresh. */
const quietMs = 250;

/**
 * Collects the ids that states hold and that the host still has as unacknowledged, and writes them in one command.
 * Failing to is not the user's error: what stays unacknowledged is acknowledged by a later run.
 */
export class AcknowledgementQueue {
  readonly #write: (ids: readonly string[]) => Promise<void>;
  readonly #stated = new Set<string>();
  readonly #returned = new Set<string>();
  /** As of the last listing. */
  #unacknowledged: ReadonlySet<string> = new Set();
  #pending = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(write: (ids: readonly string[]) => Promise<void>) {
    this.#write = write;
  }

  /** A state holds this id. */
  noteState(id: string): void {
    this.#stated.add(id);
    if (this.#unacknowledged.has(id)) this.#enqueue([id]);
  }

  /** A create has returned this id to the engine. Whether its state holds it is not known before the run has ended. */
  noteReturned(id: string): void {
    this.#returned.add(id);
  }

  /** The engine has ended in order: its state holds whatever was returned to it. */
  stateIsKept(): void {
    for (const id of this.#returned) this.#pending.add(id);
    this.#returned.clear();
  }

  /** Compares what states hold with what is on the host. */
  listed(inventory: Inventory): void {
    this.#unacknowledged = new Set(unacknowledged(inventory));
    this.#enqueue([...this.#unacknowledged].filter((id) => this.#stated.has(id)));
  }

  #enqueue(ids: readonly string[]): void {
    if (ids.length === 0) return;
    for (const id of ids) this.#pending.add(id);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush().catch(() => undefined), quietMs);
    this.#timer.unref();
  }

  /** Writes what is pending now. Rejects when that fails. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    const ids = [...this.#pending];
    this.#pending = new Set();
    if (ids.length > 0) {
      this.#writing = this.#writing.catch(() => undefined).then(() => this.#write(ids));
      // Awaited by whoever needs it; on its own a failure here is no unhandled rejection.
      this.#writing.catch(() => undefined);
    }
    return this.#writing;
  }
}

function* unacknowledged(inventory: Inventory): Generator<string> {
  for (const volume of inventory.volumes.values()) {
    if (volume.phase === "unacknowledged") yield volume.id;
    for (const attachment of volume.attachments) {
      if (attachment.phase === "unacknowledged") yield attachment.id;
    }
  }
  for (const snapshot of inventory.snapshots.values()) {
    if (snapshot.phase === "unacknowledged") yield snapshot.id;
  }
}
