import type { SnapshotRecord, StorageError } from "../contract/index.ts";
import type { Backend, LockedBackend } from "./backend.ts";
import { carryOutAll } from "./carry-out.ts";
import { isMadeBy } from "./creation-runs.ts";
import { HalfMadeError, isInterruption } from "./ownership.ts";
import { removal, takenOver } from "./removal.ts";

/** A group snapshot that one run is taking: what of it is that run's still. docs/adr/0021 tells why that is asked. */
export class GroupTaking {
  readonly #backend: Backend;
  readonly #action: string;
  readonly #groupId: string;
  readonly #run: string;
  readonly #snapshotIds: readonly string[];
  /** Those of the snapshots that are on the host as far as this run knows. */
  readonly #reserved = new Set<string>();
  #lost: StorageError | undefined;

  constructor(
    backend: Backend,
    {
      action,
      groupId,
      run,
      snapshotIds,
    }: {
      readonly action: string;
      readonly groupId: string;
      readonly run: string;
      readonly snapshotIds: readonly string[];
    },
  ) {
    this.#backend = backend;
    this.#action = action;
    this.#groupId = groupId;
    this.#run = run;
    this.#snapshotIds = snapshotIds;
  }

  noteReserved(snapshotId: string): void {
    this.#reserved.add(snapshotId);
  }

  /** @throws StorageError `SnapshotIsBusy` where another run has taken over or removed any of it */
  requireOwn(locked: LockedBackend): void {
    this.#lost = this.#lossIn(locked, undefined);
    if (this.#lost !== undefined) throw this.#lost;
  }

  /** What to throw: all of it is removed, unless another run has taken it over, or nobody can tell now. */
  async afterFailure(error: unknown): Promise<unknown> {
    if (isInterruption(error)) return new HalfMadeError(this.#groupId, error);
    const action = `remove the unfinished group snapshot ${this.#groupId}`;
    try {
      await carryOutAll(this.#backend, { action, signal: undefined }, (locked) => {
        this.#lost ??= this.#lossIn(locked, error);
        return this.#removable(locked).map((id) => removal(this.#backend, "snapshot", id));
      });
      return this.#lost ?? error;
    } catch {
      return this.#lost ?? new HalfMadeError(this.#groupId, error);
    }
  }

  #lossIn(locked: LockedBackend, cause: unknown): StorageError | undefined {
    const isThere = this.#isOthers(locked);
    const isLost = this.#snapshotIds.some((id) => {
      const record = locked.fresh.snapshots.get(id);
      return record === undefined ? this.#reserved.has(id) : !this.#isOwn(record);
    });
    if (!isLost) return undefined;
    const half = { kind: "group snapshot", action: this.#action, id: this.#groupId, isThere } as const;
    return takenOver(this.#backend, half, cause);
  }

  /** Of a group that is another run's nothing is; of what is gone, something may be left. */
  #removable(locked: LockedBackend): readonly string[] {
    const isOthers = this.#isOthers(locked);
    return this.#snapshotIds.filter((id) => {
      const record = locked.fresh.snapshots.get(id);
      return record === undefined || (!isOthers && this.#isOwn(record));
    });
  }

  /** Whether another run has entered itself in any of it: that one takes over the whole group. */
  #isOthers({ fresh }: LockedBackend): boolean {
    return this.#snapshotIds.some((id) => {
      const record = fresh.snapshots.get(id);
      return record !== undefined && !isMadeBy(record, this.#run);
    });
  }

  /** What is being deleted is so by another run, which does not enter itself for that. */
  #isOwn(record: SnapshotRecord): boolean {
    return isMadeBy(record, this.#run) && record.phase !== "deleting";
  }
}
