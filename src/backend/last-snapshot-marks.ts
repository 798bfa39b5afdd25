import { type Inventory, type SnapshotRecord, StorageError, type VolumeRecord } from "../contract/index.ts";
import type { Backend, LockedBackend } from "./backend.ts";
import { withRun } from "./creation-runs.ts";
import { isUsable } from "./ownership.ts";
import { stopJobs } from "./removal.ts";

/** Among a snapshot's settings on the host: it is, or is to be, the last of its volume. */
const lastKey = "last";

export function lastSettings(run: string): SnapshotRecord["settings"] {
  return withRun({ [lastKey]: true }, run);
}

/** Whether a destroy took it, and no state has come to hold it since. */
function isLastSnapshot({ settings, phase }: SnapshotRecord): boolean {
  return settings[lastKey] === true && phase !== "acknowledged";
}

export function lastSnapshotsOf(
  volumeId: string,
  { snapshots }: Pick<Inventory, "snapshots">,
): readonly SnapshotRecord[] {
  return [...snapshots.values()].filter(
    (snapshot) => snapshot.volumeId === volumeId && isLastSnapshot(snapshot),
  );
}

/**
 * Takes care of last snapshots that killed deletions of a volume have left, so that they hold it no more: what is whole is given
 * up, as it may be all that is left of an earlier content; what is not is removed.
 */
export async function settleLastSnapshots(
  backend: Backend,
  { id }: Pick<VolumeRecord, "id">,
  action: string,
  locked: LockedBackend,
): Promise<void> {
  for (const snapshot of lastSnapshotsOf(id, locked.fresh)) {
    if (snapshot.phase === "retained") continue;
    if (isUsable(snapshot)) {
      locked.fresh.keepSnapshot(await backend.driver.updateSnapshot(snapshot, { phase: "retained" }, locked));
    } else {
      await removeAtOnce(backend, snapshot, action, locked);
    }
  }
}

/** Removes a snapshot in the same holding of the lock: none that outlives its volume has anything to be cleared. */
export async function removeAtOnce(
  backend: Backend,
  snapshot: SnapshotRecord,
  action: string,
  locked: LockedBackend,
): Promise<void> {
  await stopJobs(backend, snapshot);
  const work = await backend.driver.deleteSnapshot(snapshot.id, backend.owner, locked);
  if (work.state === "ready") {
    locked.fresh.snapshots.delete(snapshot.id);
    return;
  }
  throw new StorageError({
    kind: "VolumeIsBusy",
    action,
    reason: `Its last snapshot "${snapshot.name}" (${snapshot.id}) is being cleared`,
    nextStep: "Run again when that has ended",
  });
}
