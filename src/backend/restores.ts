import { randomUUID } from "node:crypto";
import {
  type Inventory,
  type JsonValue,
  type RevertsToSnapshot,
  revertsToSnapshot,
  type SnapshotRecord,
  StorageError,
  type VolumeRecord,
  type Work,
} from "../contract/index.ts";
import type { Backend, LockedBackend } from "./backend.ts";
import { runJob } from "./carry-out.ts";
import { leavesDoubt } from "./exclusive.ts";
import { settleImages } from "./image-marks.ts";
import { keepingMarks } from "./migration-marks.ts";
import { describeObjects, isInterruption, requireOwn, requireUsable, requireWhole } from "./ownership.ts";
import { attachedTo, requireVolume } from "./volumes.ts";

/** What a volume is to be put back to. */
export interface RestoreRequest {
  readonly snapshotId: string;
  /** The volume's settings once that is done: they tell a later run that it was. */
  readonly settings: Readonly<Record<string, JsonValue>>;
  /** Whether these settings say that it was done already, by a run whose answer was lost. */
  isDone(settings: VolumeRecord["settings"]): boolean;
}

/**
 * Puts a volume back to one of its snapshots, or finishes what a killed run began of that. Whatever was written to it since
 * is lost.
 */
export async function restoreVolume(
  backend: Backend,
  uuid: string,
  identity: string,
  request: RestoreRequest,
  signal: AbortSignal | undefined,
): Promise<VolumeRecord> {
  const known = (await backend.listingOf(identity)).volumes.get(uuid);
  const title = known === undefined ? uuid : describeObjects([known]);
  const action = `put volume ${title} back to snapshot ${request.snapshotId}`;
  let mark: string | undefined;
  try {
    let work = await backend.exclusive(action, signal, async (locked) => {
      const found = requireVolume(backend, uuid, locked, "put back");
      if (found.restoring === undefined && request.isDone(found.settings)) return ready(found);
      const checked = requireRestorable(backend, found, request.snapshotId, locked.fresh);
      const record = await settleImages(backend, found, action, locked);
      // Some technologies use the snapshot up.
      const snapshot = await settleImages(backend, checked.snapshot, action, locked);
      const { driver } = checked;
      mark = record.restoringMark ?? randomUUID();
      await prepare(backend, record, locked);
      const revert = { mark, settings: keepingMarks(record, request.settings) };
      const begun = await driver.revertToSnapshot(record, snapshot, revert, locked);
      return kept(locked, begun, { ...record, restoring: snapshot.id, restoringMark: mark });
    });
    while (work.state === "working") {
      const { job } = work;
      const failure = await runJob(backend, job, action, signal).then(
        () => undefined,
        (error: unknown) => {
          if (isInterruption(error)) throw error;
          return { error };
        },
      );
      const next = await backend.exclusive(action, signal, async (locked) => {
        const record = requireVolume(backend, uuid, locked, "put back");
        if (mark === undefined || record.restoring !== request.snapshotId || record.restoringMark !== mark) {
          return { isOvertaken: true, work: ready(overtaken(backend, record, request, action)) };
        }
        if (failure !== undefined) throw failure.error;
        const { driver, snapshot } = requireRestorable(backend, record, request.snapshotId, locked.fresh);
        const revert = { mark, settings: keepingMarks(record, request.settings) };
        const completed = await driver.completeRevert(record, snapshot, revert, locked);
        return { isOvertaken: false, work: kept(locked, completed, record) };
      });
      ({ work } = next);
      // The same work may have to be done again, now or at another time: that is not answered with how this one ended.
      if (!next.isOvertaken) await backend.host.forgetJob(job).catch(() => undefined);
    }
    return work.record;
  } catch (error) {
    if (mark !== undefined && leavesDoubt(error) && !isInterruption(error)) {
      await abandon(backend, uuid, mark).catch(() => undefined);
    }
    throw error;
  }
}

/**
 * What another run has made of the volume while this one's job worked: done, where that was the same.
 *
 * @throws StorageError `VolumeIsBusy` where it was not: what has been written since is not this run's to overwrite
 */
function overtaken(
  backend: Backend,
  record: VolumeRecord,
  request: RestoreRequest,
  action: string,
): VolumeRecord {
  if (record.restoring === undefined && request.isDone(record.settings)) return record;
  throw new StorageError({
    kind: "VolumeIsBusy",
    action,
    reason: "Another run has ended it, given it up or begun another one meanwhile",
    nextStep: "Plan again: that shows what there is now",
    backend: backend.name,
    host: backend.host.host,
  });
}

/**
 * The snapshot, and the driver that can put the volume back to it.
 *
 * @throws StorageError when that cannot be done with what `inventory` shows
 */
export function requireRestorable(
  backend: Backend,
  record: VolumeRecord,
  snapshotId: string,
  inventory: Inventory,
): { readonly driver: RevertsToSnapshot; readonly snapshot: SnapshotRecord } {
  const action = `put volume "${record.name}" back to snapshot ${snapshotId}`;
  const attribute = ["restore", "snapshot_id"];
  const { driver } = backend;
  if (!revertsToSnapshot(driver)) {
    throw new StorageError({
      kind: "NotSupported",
      action,
      reason: `Technology ${driver.technology} does not put volumes back to snapshots`,
      nextStep: newVolumeHint,
      backend: backend.name,
      attribute: ["restore"],
    });
  }
  requireOwn(backend, "volume", record);
  // Being put back already is no hindrance to going on with it.
  requireUsable("put back", "volume", { ...record, restoring: undefined });
  driver.checkRevert(record);
  if (record.restoring !== undefined && record.restoring !== snapshotId) {
    throw new StorageError({
      kind: "VolumeIsBusy",
      action,
      reason: `It is being put back to snapshot ${record.restoring}, and that was not finished`,
      nextStep: `Write snapshot_id = "${backend.name}/${record.restoring}", apply, and then the other one with another trigger`,
      backend: backend.name,
      attribute,
    });
  }
  if (record.attachments.length > 0) {
    throw new StorageError({
      kind: "VolumeIsBusy",
      action,
      reason: `It is attached to ${attachedTo(record)}, which would not notice that the content changes`,
      nextStep: "Destroy its attachments first, apply, then restore",
      backend: backend.name,
      attribute: ["restore"],
    });
  }
  requireWhole(backend, inventory, "snapshot", snapshotId);
  const snapshot = inventory.snapshots.get(snapshotId);
  const refuse = (
    kind: "SnapshotNotFound" | "InvalidInput" | "VolumeBackendError",
    reason: string,
    nextStep?: string,
  ) => new StorageError({ kind, action, reason, nextStep, backend: backend.name, attribute });
  if (snapshot === undefined)
    throw refuse(
      "SnapshotNotFound",
      "There is no such snapshot on this backend",
      record.restoring === undefined
        ? undefined
        : "To leave the volume as it is, write the trigger that was there before",
    );
  requireOwn(backend, "snapshot", snapshot);
  requireUsable("use", "snapshot", snapshot);
  if (snapshot.broken !== undefined) {
    throw refuse("VolumeBackendError", `Its content is lost: ${snapshot.broken}`, "Use another snapshot");
  }
  if (snapshot.volumeId !== record.id) {
    throw refuse("InvalidInput", `It is a snapshot of another volume, ${snapshot.volumeId}`, newVolumeHint);
  }
  if (snapshot.sizeBytes !== record.sizeBytes) {
    throw refuse(
      "InvalidInput",
      `The volume has ${record.sizeBytes} bytes, and had ${snapshot.sizeBytes} when the snapshot was taken: volumes never shrink`,
      newVolumeHint,
    );
  }
  return { driver, snapshot };
}

const newVolumeHint = "Make a new volume of it: source = { snapshot_id = … }";

/** Nothing of an earlier restore, and no export, is in the way. */
async function prepare(backend: Backend, record: VolumeRecord, locked: LockedBackend): Promise<void> {
  backend.exportsChanged();
  await backend.target.removeExport(record, locked);
  if (record.restoring !== undefined) return;
  // What a job of an earlier restore reported must not be taken for the end of this one.
  await stopJobs(backend, record.id);
}

async function stopJobs(backend: Backend, uuid: string): Promise<void> {
  const jobs = backend.driver.jobsOf(uuid);
  await Promise.all(jobs.map((job) => backend.host.forgetJob(job, { stop: true })));
}

function kept(locked: LockedBackend, work: Work<VolumeRecord>, working: VolumeRecord): Work<VolumeRecord> {
  locked.fresh.keepVolume(work.state === "ready" ? work.record : working);
  return work;
}

/**
 * Takes back what a killed run began, where the volume still is, or is already, whole.
 *
 * @throws StorageError `VolumeIsBusy` where it has to be finished
 */
export async function leaveRestore(
  backend: Backend,
  uuid: string,
  identity: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { volumes } = await backend.listingOf(identity);
  if (volumes.get(uuid)?.restoring === undefined) return;
  const action = `leave volume ${uuid} as it is`;
  await backend.exclusive(action, signal, async (locked) => {
    const record = requireVolume(backend, uuid, locked, "leave as it is");
    const { driver } = backend;
    if (record.restoring === undefined || !revertsToSnapshot(driver)) return;
    await stopJobs(backend, uuid);
    const left = locked.fresh.keepVolume(await driver.abandonRevert(record, locked));
    if (left.restoring === undefined) return;
    throw new StorageError({
      kind: "VolumeIsBusy",
      action,
      reason: `Putting it back to snapshot ${left.restoring} has changed it already, and was not finished`,
      nextStep: `Write restore with snapshot_id = "${backend.name}/${left.restoring}" and another trigger, and apply, so that it is finished`,
      backend: backend.name,
      host: backend.host.host,
    });
  });
}

/** Only one's own: what another run has begun since is that run's. */
async function abandon(backend: Backend, uuid: string, mark: string): Promise<void> {
  await backend.exclusive(`leave volume ${uuid} as it is`, undefined, async (locked) => {
    const record = locked.fresh.volumes.get(uuid);
    const { driver } = backend;
    if (record?.restoring === undefined || record.restoringMark !== mark || !revertsToSnapshot(driver))
      return;
    await stopJobs(backend, uuid);
    locked.fresh.keepVolume(await driver.abandonRevert(record, locked));
  });
}

function ready<R>(record: R): Work<R> {
  return { state: "ready", record };
}
