import { type ObjectRecord, StorageError, type VolumeRecord, type Work } from "../contract/index.ts";
import { fillingJobs } from "../images/index.ts";
import type { Backend, LockedBackend } from "./backend.ts";
import { carryOut, type Undertaking } from "./carry-out.ts";
import { isMadeBy } from "./creation-runs.ts";
import { isFromImage, removeStaging } from "./images.ts";
import { HalfMadeError, isInterruption } from "./ownership.ts";

type Kind = "volume" | "snapshot";

/** Looks once more, under the lock that something is removed under; throws where it is not to be removed after all. */
export type Confirmation = (locked: LockedBackend) => Promise<void>;

/** For what the caller has decided already. */
export const always: Confirmation = async () => undefined;

/** The part of a removal that comes after every check: what both the deleting and the cleaning up do. */
export function removal(
  backend: Backend,
  kind: Kind,
  uuid: string,
): Pick<Undertaking<null>, "complete"> & { begin(locked: LockedBackend): Promise<Work<null>> } {
  const forget = ({ fresh, space }: LockedBackend): null => {
    space.forget();
    (kind === "volume" ? fresh.volumes : fresh.snapshots).delete(uuid);
    return null;
  };
  return {
    async begin(locked) {
      // Also where it is gone already: the driver then removes what is left of its metadata.
      const work =
        kind === "volume"
          ? await beginVolumeRemoval(backend, uuid, locked)
          : await beginSnapshotRemoval(backend, uuid, locked);
      if (work.state === "ready") forget(locked);
      return work;
    },
    async complete(locked) {
      await backend.driver.completeDeletion(uuid, backend.owner, locked);
      return forget(locked);
    },
  };
}

async function beginVolumeRemoval(
  backend: Backend,
  uuid: string,
  locked: LockedBackend,
): Promise<Work<null>> {
  const record = locked.fresh.volumes.get(uuid);
  if (record !== undefined && !isPlain(record)) await stopJobs(backend, record);
  if (record !== undefined && isFromImage(record))
    await removeStaging(backend, record, locked.fresh.identity ?? "");
  const work = await backend.driver.deleteVolume(uuid, backend.owner, locked);
  if (record !== undefined) locked.fresh.keepVolume({ ...record, phase: "deleting" });
  return work;
}

async function beginSnapshotRemoval(
  backend: Backend,
  uuid: string,
  locked: LockedBackend,
): Promise<Work<null>> {
  const record = locked.fresh.snapshots.get(uuid);
  if (record !== undefined) await stopJobs(backend, record);
  const work = await backend.driver.deleteSnapshot(uuid, backend.owner, locked);
  if (record !== undefined) locked.fresh.keepSnapshot({ ...record, phase: "deleting" });
  return work;
}

/** Thin space that nothing was copied to needs no work. */
function isPlain(record: VolumeRecord): boolean {
  const { phase, source, provisioning, restoring } = record;
  if (restoring !== undefined || isFromImage(record)) return false;
  return phase !== "creating" && source === null && provisioning === "thin";
}

/**
 * Ends whatever may still be writing into an object. The clearing of what goes is not broken off, but rejoined.
 *
 * @param fetching `keep fetching`: an image goes on coming to the host, but nothing is written from it
 */
export async function stopJobs(
  backend: Backend,
  record: ObjectRecord,
  fetching: "keep fetching" | "stop fetching" = "stop fetching",
): Promise<void> {
  if (record.phase === "deleting") return;
  const jobs = backend.driver.jobsOf(record.id);
  const directory = jobs[0]?.directory;
  const filling = isFromImage(record) && directory !== undefined ? fillingJobs(record.id, directory) : [];
  const [fetch, ...others] = filling;
  const stopped = [...jobs, ...(fetch === undefined || fetching === "keep fetching" ? others : filling)];
  await Promise.all(stopped.map((job) => backend.host.forgetJob(job, { stop: true })));
}

/** What a run was making. */
interface HalfMade {
  readonly kind: Kind;
  /** For errors, a verb phrase. */
  readonly action: string;
  readonly id: string;
  readonly run: string;
  /** It was on the host when that was last known. */
  readonly isReserved: boolean;
}

/**
 * After a failed create: removes what it made, where that is certain, and tells what to throw: `error` itself when
 * nothing is left, a `HalfMadeError` otherwise. What another run has taken over is that run's, and stays.
 */
export async function removeHalfMade(
  backend: Backend,
  { kind, action, id, run, isReserved }: HalfMade,
  error: unknown,
): Promise<unknown> {
  if (isInterruption(error)) return new HalfMadeError(id, error);
  const { begin, complete } = removal(backend, kind, id);
  let lost: StorageError | undefined;
  try {
    await carryOut(backend, {
      action: `remove the unfinished ${kind} ${id}`,
      signal: undefined,
      async begin(locked) {
        const record = (kind === "volume" ? locked.fresh.volumes : locked.fresh.snapshots).get(id);
        const isThere = record !== undefined;
        const isOthers = isThere ? !isMadeBy(record, run) : isReserved;
        if (isOthers) lost = takenOver(backend, { kind, action, id, isThere }, error);
        // Of what is gone, something may be left.
        if (!isThere || !isOthers) return begin(locked);
        return { state: "ready", record: null };
      },
      complete,
    });
    return lost ?? error;
  } catch {
    return lost ?? new HalfMadeError(id, error);
  }
}

/** What a run was making, and is not its own any more. */
interface Lost extends Pick<HalfMade, "action" | "id"> {
  readonly kind: Kind | "group snapshot" | "attachment";
  /** Another run has it; otherwise another one has removed it. */
  readonly isThere: boolean;
}

/**
 * That what a run was making is another run's by now: no state of the first may hold it.
 *
 * @param cause why the first one would have failed anyway
 */
export function takenOver(
  backend: Backend,
  { kind, action, id, isThere }: Lost,
  cause?: unknown,
): StorageError {
  const what = isThere
    ? `Another run has taken over the making of ${kind} ${id} meanwhile, and this one leaves it alone`
    : `The ${kind} ${id} that it was making is gone: another run has removed it meanwhile`;
  const failure = cause instanceof Error ? `; before that it failed here: ${cause.message}` : "";
  return new StorageError({
    kind: kind === "snapshot" || kind === "group snapshot" ? "SnapshotIsBusy" : "VolumeIsBusy",
    action,
    reason: `${what}${failure}`,
    nextStep: "Let the other run end, then run again; let one run at a time apply a configuration",
    backend: backend.name,
    host: backend.host.host,
    cause,
  });
}
