import { type JobSpec, type ObjectRecord, StorageError, type Work } from "../contract/index.ts";
import type { Backend, LockedBackend } from "./backend.ts";
import { isMadeBy, newRun } from "./creation-runs.ts";
import type { Listing } from "./listing.ts";
import { progressTeller } from "./progress.ts";
import { removeHalfMade, takenOver } from "./removal.ts";

/** Work of several steps without the lock, after which the matching `complete` makes the object whole. */
export interface Filling {
  readonly state: "filling";
  fill(): Promise<void>;
  /** Removes what `fill` needed, once the object is whole. What it leaves, a later filling removes. */
  clean(): Promise<void>;
}

/** A change that may take longer than the backend's lock is to be held. */
export interface Undertaking<R> {
  /** For errors, a verb phrase. */
  readonly action: string;
  readonly signal: AbortSignal | undefined;
  /** Under the lock. */
  begin(locked: LockedBackend): Promise<Work<R> | Filling>;
  /** Under the lock again, once the job or the filling that `begin` asked for has ended well. */
  complete(locked: LockedBackend): Promise<R>;
}

/** Does a piece of work: under the lock what is short, as a job without it what is long. */
export async function carryOut<R>(backend: Backend, work: Undertaking<R>): Promise<R> {
  const { action, signal } = work;
  const begun = await backend.exclusive(action, signal, (locked) => work.begin(locked));
  if (begun.state === "ready") return begun.record;
  await (begun.state === "filling" ? begun.fill() : runJob(backend, begun.job, action, signal));
  const record = await backend.exclusive(action, signal, (locked) => work.complete(locked));
  // The work is done: what is left of the job's record is removed with the object at the latest.
  const clean = begun.state === "filling" ? begun.clean() : backend.host.forgetJob(begun.job);
  await clean.catch(() => undefined);
  return record;
}

/** A piece of work of which others of the same kind are begun and completed with it. */
export type Part<R> = Pick<Undertaking<R>, "begin" | "complete">;

/**
 * Does several pieces of work as one: all are begun in the holding of the lock that `prepare` looks in, so that what it
 * refuses is refused before the first of them. What has ended well is completed though another has failed.
 */
export async function carryOutAll<R>(
  backend: Backend,
  { action, signal }: Pick<Undertaking<R>, "action" | "signal">,
  prepare: (locked: LockedBackend) => readonly Part<R>[] | Promise<readonly Part<R>[]>,
): Promise<void> {
  const begun = await backend.exclusive(action, signal, async (locked) => {
    const works: { readonly part: Part<R>; readonly work: Work<R> | Filling }[] = [];
    for (const part of await prepare(locked)) works.push({ part, work: await part.begin(locked) });
    return works;
  });
  const long = begun.filter(({ work }) => work.state !== "ready");
  const outcomes = await Promise.allSettled(
    long.map(({ work }) => {
      if (work.state === "ready") return undefined;
      return work.state === "filling" ? work.fill() : runJob(backend, work.job, action, signal);
    }),
  );
  const ended = long.filter((_, index) => outcomes[index]?.status === "fulfilled");
  if (ended.length > 0) {
    await backend.exclusive(action, signal, async (locked) => {
      for (const { part } of ended) await part.complete(locked);
    });
  }
  for (const { work } of ended) {
    if (work.state === "ready") continue;
    const clean = work.state === "filling" ? work.clean() : backend.host.forgetJob(work.job);
    await clean.catch(() => undefined);
  }
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** Runs or rejoins a job, without holding the backend's lock. */
export async function runJob(
  backend: Backend,
  job: JobSpec,
  action: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const onProgress = progressTeller(backend.log, action);
  const { exitCode, stderr } = await backend.host.runJob(job, { action, signal, onProgress });
  if (exitCode === 0) return;
  // Asking again is to start it again, not to be told of this failure for ever.
  await backend.host.forgetJob(job).catch(() => undefined);
  throw new StorageError({
    kind: "VolumeBackendError",
    action,
    reason: `The work on the host ended with exit status ${exitCode}: ${stderr.toString().trim() || "no message"}`,
    backend: backend.name,
    host: backend.host.host,
  });
}

/** What is to be made, decided under the lock. */
export interface CreationPlan<R> {
  readonly id: string;
  /** Takes over what an earlier run left whole; absent where nothing was. */
  readonly resume: (() => Promise<R>) | undefined;
  /** Enters this run in what an earlier one left unfinished; absent where nothing was. */
  readonly takeOver: (() => Promise<R>) | undefined;
  begin(): Promise<Work<R> | Filling>;
  /** The object while its job works, as other work under the lock must see it. */
  readonly reservation: R;
  /** The volume whose content is copied. */
  readonly copyOf: string | undefined;
}

/** The making of a volume or a snapshot. */
export interface Creation<R> {
  readonly kind: "volume" | "snapshot";
  readonly action: string;
  readonly signal: AbortSignal | undefined;
  /** @param run goes into the object's settings */
  plan(locked: LockedBackend, run: string): CreationPlan<R> | Promise<CreationPlan<R>>;
  complete(id: string, locked: LockedBackend): Promise<R>;
  /** Enters the object in a listing. */
  keep(listing: Listing, record: R): R;
}

/**
 * Makes an object, or finishes what a killed create of the same intent left behind. A run that was taken for killed, and was
 * not, neither finishes nor removes what another has taken over.
 *
 * @throws HalfMadeError when something was left on the host that a later delete has to remove
 */
export async function carryOutCreation<R extends ObjectRecord>(
  backend: Backend,
  creation: Creation<R>,
): Promise<R> {
  const { kind, action, signal } = creation;
  const run = newRun();
  let made: string | undefined;
  let isReserved = false;
  let isLost = false;
  let copied = (): void => undefined;
  try {
    return await carryOut(backend, {
      action,
      signal,
      begin: async (locked) => {
        const plan = await creation.plan(locked, run);
        backend.known.add(plan.id);
        if (plan.resume !== undefined) {
          return { state: "ready", record: creation.keep(locked.fresh, await plan.resume()) };
        }
        // Before anything else of it is touched: from here on it is this run's.
        if (plan.takeOver !== undefined) creation.keep(locked.fresh, await plan.takeOver());
        made = plan.id;
        const begun = await plan.begin();
        isReserved = true;
        creation.keep(locked.fresh, begun.state === "ready" ? begun.record : plan.reservation);
        if (begun.state !== "ready" && plan.copyOf !== undefined) {
          copied = backend.ownCopies.begin(plan.copyOf);
        }
        return begun;
      },
      complete: async (locked) => {
        const id = made ?? "";
        const record = (kind === "volume" ? locked.fresh.volumes : locked.fresh.snapshots).get(id);
        const isThere = record !== undefined && record.phase !== "deleting";
        if (!isThere || !isMadeBy(record, run)) {
          isLost = true;
          throw takenOver(backend, { kind, action, id, isThere });
        }
        return creation.keep(locked.fresh, await creation.complete(id, locked));
      },
    });
  } catch (error) {
    if (made === undefined || isLost) throw error;
    throw await removeHalfMade(backend, { kind, action, id: made, run, isReserved }, error);
  } finally {
    copied();
  }
}
