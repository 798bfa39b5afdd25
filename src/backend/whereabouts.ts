import { isStorageError, type StorageError, type VolumeRecord } from "../contract/index.ts";
import type { Backend } from "./backend.ts";
import type { Fleet } from "./fleet.ts";
import type { Listing } from "./listing.ts";
import { birthplaceOf, isOfMove, moveOf } from "./migration-marks.ts";
import { isUsable } from "./ownership.ts";

/** Where a volume is found. */
export interface Whereabouts {
  readonly backend: Backend;
  readonly record: VolumeRecord;
}

/** What keeps a backend from telling whether it has a volume. */
export interface Silence {
  readonly backend: Backend;
  readonly error: StorageError;
}

/**
 * Where a volume is that a state, or an id, says is on `named`: there, or where it was moved to. Undefined where nobody
 * who answers has it; `silent` then says who did not answer. Answered from the run's listings; other backends than the named
 * one are asked only where that has no such volume, says that it was being moved, or does not answer.
 *
 * @throws StorageError where the named backend does not answer, and no other has the volume; or one that it may have been moved to
 * @param named null where the configuration has no such backend any more
 */
export async function whereIs(
  fleet: Fleet,
  named: Backend | null,
  uuid: string,
): Promise<{ readonly found: Whereabouts | undefined; readonly silent: readonly Silence[] }> {
  let failure: StorageError | undefined;
  const listing = await named?.listing().catch((error: unknown) => {
    if (!isStorageError(error)) throw error;
    failure = error;
    return undefined;
  });
  const record = listing?.volumes.get(uuid);
  // What is damaged is there.
  if (named !== null && listing?.damaged.has(uuid) === true) return { found: undefined, silent: [] };
  if (named !== null && record !== undefined) {
    const target = await switchedTarget(fleet, named, record);
    return { found: target ?? { backend: named, record }, silent: [] };
  }
  const silent: Silence[] = [];
  for (const backend of fleet.backends.filter((other) => other !== named)) {
    let others: Listing;
    try {
      others = await backend.listing();
    } catch (error) {
      if (!isStorageError(error)) throw error;
      silent.push({ backend, error });
      continue;
    }
    const moved = others.volumes.get(uuid);
    if (moved === undefined || moved.owner !== backend.owner) continue;
    if (birthplaceOf(moved) === undefined || !isUsable(moved)) continue;
    // It may be on its way to a third one. Where that does not answer, nobody can tell which of the two counts.
    const found = (await switchedTarget(fleet, backend, moved)) ?? { backend, record: moved };
    return { found, silent: [] };
  }
  // It may be there.
  if (failure !== undefined) throw failure;
  return { found: undefined, silent };
}

/** The new volume of a move, where it is whole: from then on it is the one that counts. */
export async function switchedTarget(
  fleet: Fleet,
  source: Backend,
  record: VolumeRecord,
): Promise<Whereabouts | undefined> {
  const mark = moveOf(record);
  if (mark?.direction !== "to") return undefined;
  const target = fleet.backends.find((backend) => backend.answersTo(mark.backend));
  const { storage } = mark;
  const listing = await (storage === undefined ? target?.listing() : target?.listingOf(storage));
  const moved = listing?.volumes.get(record.id);
  if (target === undefined || moved === undefined || moved.owner !== record.owner) return undefined;
  const origin = moveOf(moved);
  const isItsTarget =
    origin?.direction === "from" && source.answersTo(origin.backend) && isOfMove(origin, mark.token);
  return isItsTarget && isUsable(moved) ? { backend: target, record: moved } : undefined;
}
