import {
  type FillsVolumes,
  fillsVolumes,
  type Inventory,
  isStorageError,
  type NewVolume,
  type Provisioning,
  StorageError,
  snapshotsHolding,
  type VolumeContent,
  type VolumeDriver,
  type VolumeRecord,
  volumesBeingMadeFrom,
} from "../contract/index.ts";
import { transferContent } from "../transfer/index.ts";
import type { Backend } from "./backend.ts";
import { anyPlace, type PlacementWishes } from "./candidates.ts";
import { carryOut } from "./carry-out.ts";
import type { Fleet } from "./fleet.ts";
import { settleImages } from "./image-marks.ts";
import { isOfMove, type MoveMark, moveOf, newToken, withMove } from "./migration-marks.ts";
import {
  describeObjects,
  isInterruption,
  isUsable,
  requireNotRestoring,
  requireOwn,
  requireUndamaged,
} from "./ownership.ts";
import { progressTeller } from "./progress.ts";
import { removal } from "./removal.ts";
import { attachedTo, goneVolume, hasName, nameTaken } from "./volumes.ts";
import { switchedTarget, type Whereabouts } from "./whereabouts.ts";

/** A move of a volume from one backend to another; its UUID stays. */
export interface Move {
  readonly source: Backend;
  readonly target: Backend;
  readonly uuid: string;
  /** What the storage behind the source called itself when the volume was last known to be there. */
  readonly identity: string;
  /** The backend that the volume's id names. */
  readonly birthplace: string;
  /** The name that it is to have. */
  readonly name: string;
  readonly pool: string | null;
  readonly provisioning: Provisioning;
  /** What is asked of its place besides, as of a new volume's; anything where it is left out. */
  readonly wishes?: PlacementWishes | undefined;
}

/**
 * Moves a volume's data: marks the old volume, reserves the new one, copies and compares, makes the new one whole (the
 * one step from which it is the volume), and removes the old one as a deletion does. Asked for again after an interruption, it
 * goes on.
 *
 * A failure before the new volume is whole takes everything back, where the hosts let it.
 */
export async function moveVolume(move: Move, signal: AbortSignal | undefined): Promise<VolumeRecord> {
  const { source, target, uuid } = move;
  const action = `move volume "${move.name}" (${uuid}) from backend "${source.name}" to "${target.name}"`;
  await source.listingOf(move.identity);
  const found = requireRecord(move, await source.listing());
  const held = moveOf(found);
  // Whatever this move reserved, or made whole, is there: nothing is begun anew on what is in its place now.
  if (held?.direction === "to" && held.storage !== undefined && target.answersTo(held.backend)) {
    await target.listingOf(held.storage);
  }
  await target.establishIdentity();
  refuseSameStorage(move, action, (await target.listing()).identity);
  // What cannot be is refused before anything is written.
  requireMovable(source, found, await source.listing(), action);
  requirePlaceFor({ ...move, token: held?.token }, await target.listing());
  let claim: Claim | undefined;
  try {
    const from = await markSource(move, action, signal);
    claim = { token: from.token, run: newToken() };
    await removeOther(move, claim, action, signal);
    const to = await reserveTarget(move, from, claim, action, signal);
    if (to.content !== undefined) {
      await transferContent({
        action,
        source: { host: source.host, content: from.content },
        target: { host: target.host, content: to.content },
        job: filling(target).fillingJob(uuid),
        token: claim.token,
        signal,
        onProgress: progressTeller(target.log, action),
      });
      await switchOver(move, claim, action, signal);
    }
  } catch (error) {
    if (claim !== undefined && !isInterruption(error)) {
      await takeBack(source, target, uuid, claim).catch(() => undefined);
    }
    throw isStorageError(error) ? error : asStorageError(error, action);
  }
  return finishMove(source, target, uuid, signal);
}

/** What a run must still find in the marks before it does what cannot be undone. */
interface Claim {
  readonly token: string;
  readonly run: string;
}

/** Removes the old volume of a move whose new one is whole, and the marks. Repeatable. */
export async function finishMove(
  source: Backend,
  target: Backend,
  uuid: string,
  signal: AbortSignal | undefined,
): Promise<VolumeRecord> {
  const action = `remove what was left of volume ${uuid} by its move to backend "${target.name}"`;
  // The old volume goes for nothing but a new one that is whole, as its own host says now.
  const origin = await target.exclusive(action, signal, async ({ fresh }) => {
    requireUndamaged(target, fresh, "volume", uuid);
    const record = fresh.volumes.get(uuid);
    if (record === undefined || !isUsable(record)) throw gone(target, uuid);
    requireOwn(target, "volume", record);
    const mark = moveOf(record);
    return mark?.direction === "from" && source.answersTo(mark.backend) ? mark : undefined;
  });
  // What is in the place of the old storage meanwhile is not the old storage without the volume.
  if (origin?.storage !== undefined) await source.listingOf(origin.storage);
  const { begin, complete } = removal(source, "volume", uuid);
  await carryOut(source, {
    action,
    signal,
    async begin(locked) {
      const record = locked.fresh.volumes.get(uuid);
      requireUndamaged(source, locked.fresh, "volume", uuid);
      if (record !== undefined) {
        requireOwn(source, "volume", record);
        const mark = requireMark(record, "to", target, action);
        if (origin === undefined) throw gone(target, uuid);
        if (!isOfMove(origin, mark.token)) throw otherCopy(target, action);
        await source.target.removeExport(record, locked);
        // Its data is on the other backend: nothing is left here to protect.
        const isProtected = record.deletionProtection && isUsable(record);
        if (isProtected) {
          const bare = await source.driver.updateVolume(record, { deletionProtection: false }, locked);
          locked.fresh.keepVolume(bare);
        }
      } else {
        await source.target.removeExport(goneVolume(uuid), locked);
      }
      return begin(locked);
    },
    complete,
  });
  return target.exclusive(`finish the move of volume ${uuid}`, signal, async (locked) => {
    const record = locked.fresh.volumes.get(uuid);
    if (record === undefined) throw gone(target, uuid);
    requireOwn(target, "volume", record);
    // Before the marks go, which are what brings the next run here: no later copy to this place must be told of the end of this one.
    await target.host.forgetJob(filling(target).fillingJob(uuid), { stop: true });
    const changes = { settings: withMove(record, undefined), phase: "acknowledged" as const };
    return locked.fresh.keepVolume(await target.driver.updateVolume(record, changes, locked));
  });
}

/**
 * Undoes a move whose new volume is not whole: notes that at the old one, so that no other run makes the new one whole
 * any more; removes the new one; then removes the old one's mark, so that nobody can use that while something may still be
 * copying. Repeatable.
 *
 * @param claim whose move it is; another's is left alone then
 * @throws StorageError `VolumeIsBusy` where the new volume is whole after all: then it is the one that counts
 */
export async function takeBack(source: Backend, target: Backend, uuid: string, claim?: Claim): Promise<void> {
  const action = `take back the move of volume ${uuid} to backend "${target.name}"`;
  if (claim !== undefined && (await isTakenOver(target, uuid, claim, action))) return;
  const taken = await markTakenBack(source, target, uuid, claim, action);
  const token = taken?.token;
  if (taken?.storage !== undefined) await target.listingOf(taken.storage);
  const { begin, complete } = removal(target, "volume", uuid);
  await carryOut(target, {
    action,
    signal: undefined,
    async begin(locked) {
      const record = locked.fresh.volumes.get(uuid);
      requireUndamaged(target, locked.fresh, "volume", uuid);
      if (record === undefined) return { state: "ready", record: null };
      requireOwn(target, "volume", record);
      const mark = requireMark(record, "from", source, action);
      const isOurs = claim === undefined || (isOfMove(mark, claim.token) && mark.run === claim.run);
      if (!isUsable(record)) return isOurs ? begin(locked) : { state: "ready", record: null };
      if (!isOfMove(mark, token ?? claim?.token)) throw otherCopy(target, action);
      throw new StorageError({
        kind: "VolumeIsBusy",
        action,
        reason: "The new volume is complete already",
        nextStep: "Run again: the move is finished then",
      });
    },
    complete,
  });
  if (token === undefined) return;
  await source.exclusive(action, undefined, async (locked) => {
    const record = locked.fresh.volumes.get(uuid);
    const mark = record === undefined ? undefined : moveOf(record);
    if (record === undefined || mark?.direction !== "to" || !isOfMove(mark, token)) return;
    requireOwn(source, "volume", record);
    const settings = withMove(record, undefined);
    locked.fresh.keepVolume(await source.driver.updateVolume(record, { settings }, locked));
  });
}

/** Whether another run goes on with the move. */
async function isTakenOver(target: Backend, uuid: string, claim: Claim, action: string): Promise<boolean> {
  return target.exclusive(action, undefined, async ({ fresh }) => {
    const record = fresh.volumes.get(uuid);
    const mark = record === undefined ? undefined : moveOf(record);
    return mark?.direction === "from" && isOfMove(mark, claim.token) && mark.run !== claim.run;
  });
}

/** Returns the move's mark; undefined where the old volume has no such move. */
async function markTakenBack(
  source: Backend,
  target: Backend,
  uuid: string,
  claim: Claim | undefined,
  action: string,
): Promise<MoveMark | undefined> {
  return source.exclusive(action, undefined, async (locked) => {
    requireUndamaged(source, locked.fresh, "volume", uuid);
    const record = locked.fresh.volumes.get(uuid);
    const mark = record === undefined ? undefined : moveOf(record);
    if (record === undefined || mark?.direction !== "to" || !target.answersTo(mark.backend)) return undefined;
    if (claim !== undefined && !isOfMove(mark, claim.token)) return undefined;
    requireOwn(source, "volume", record);
    if (mark.isTakenBack !== true) {
      const settings = withMove(record, { ...mark, isTakenBack: true });
      locked.fresh.keepVolume(await source.driver.updateVolume(record, { settings }, locked));
    }
    return mark;
  });
}

/**
 * Sees to it that a volume is on `target`, and that nothing is left of any move: goes on with one to there, ends any other
 * first, and moves the volume where it is not there yet.
 */
export async function bringTo(
  fleet: Fleet,
  place: Whereabouts,
  move: Omit<Move, "source" | "uuid" | "identity">,
  signal: AbortSignal | undefined,
): Promise<Whereabouts> {
  const { target } = move;
  const mark = moveOf(place.record);
  const isGoingOn = mark?.direction === "to" && target.answersTo(mark.backend) && mark.isTakenBack !== true;
  const { backend: source, record } = isGoingOn ? place : await settleMove(fleet, place, signal);
  if (source === target) return { backend: target, record };
  const identity = (await source.listing()).identity ?? "";
  return {
    backend: target,
    record: await moveVolume({ ...move, source, identity, uuid: record.id }, signal),
  };
}

/** Brings a move that was interrupted to an end, whichever is nearer: nothing of one is left afterwards. */
export async function settleMove(
  fleet: Fleet,
  { backend, record }: Whereabouts,
  signal: AbortSignal | undefined,
): Promise<Whereabouts> {
  const mark = moveOf(record);
  if (mark === undefined) return { backend, record };
  const other = fleet.backend(mark.backend, ["backend"]);
  if (mark.direction === "from") {
    return { backend, record: await finishMove(other, backend, record.id, signal) };
  }
  const switched = await switchedTarget(fleet, backend, record);
  if (switched !== undefined) {
    return { backend: other, record: await finishMove(backend, other, record.id, signal) };
  }
  await takeBack(backend, other, record.id);
  return { backend, record: (await backend.listing()).volumes.get(record.id) ?? record };
}

/** @throws StorageError `VolumeIsBusy` naming what stands against moving a volume */
export function requireMovable(
  backend: Backend,
  record: VolumeRecord,
  inventory: Inventory,
  action: string,
): void {
  const busy = (reason: string, nextStep: string) =>
    new StorageError({
      kind: "VolumeIsBusy",
      action,
      reason,
      nextStep,
      backend: backend.name,
      host: backend.host.host,
      attribute: ["backend"],
    });
  if (!fillsVolumes(backend.driver)) throw cannotMove(backend, action);
  if (!isUsable(record)) {
    throw busy(
      record.phase === "creating" ? "It is not finished itself" : "It is being deleted",
      "Destroy it, or have it replaced",
    );
  }
  requireNotRestoring(action, record);
  if (record.attachments.length > 0) {
    throw busy(
      `It is attached to ${attachedTo(record)}, and only what nobody uses can be moved`,
      "Destroy its attachments and apply that first; afterwards attach it where it is then",
    );
  }
  const snapshots = snapshotsHolding(record.id, inventory);
  if (snapshots.length > 0) {
    throw busy(
      `It has the ${snapshots.length === 1 ? "snapshot" : "snapshots"} ${describeObjects(snapshots)}, and snapshots do not move`,
      "Destroy its snapshots and apply that first, or keep it where it is",
    );
  }
  const copies = volumesBeingMadeFrom({ kind: "volume", id: record.id }, inventory);
  if (copies.length > 0) {
    throw busy(`It is being copied to ${describeObjects(copies)}`, "Let that finish first");
  }
}

/** Two configured backends on one storage: an id can be there once only. */
export function refuseSameStorage(
  { source, target, identity }: Pick<Move, "source" | "target" | "identity">,
  action: string,
  targetIdentity: string | null,
): void {
  if (!fillsVolumes(target.driver)) throw cannotMove(target, action);
  if (source !== target && identity !== targetIdentity) return;
  throw new StorageError({
    kind: "NotSupported",
    action,
    reason:
      source === target
        ? "Volumes are not moved between the pools of one backend"
        : `Both backends are the same storage (${identity})`,
    nextStep: "Move it to a backend on other storage, or make a new volume from it (source.volume_id)",
    attribute: ["backend"],
  });
}

/**
 * @param move `token` is that of the move that the old volume was already marked with
 * @throws StorageError where the target has another volume of that name or id
 */
export function requirePlaceFor(
  move: Pick<Move, "source" | "target" | "uuid" | "name"> & { readonly token: string | undefined },
  inventory: Inventory,
): void {
  const { source, target, uuid, name, token } = move;
  requireUndamaged(target, inventory, "volume", uuid);
  const there = inventory.volumes.get(uuid);
  if (there !== undefined) {
    const action = `move volume "${name}" (${uuid})`;
    requireOwn(target, "volume", there);
    const mark = requireMark(there, "from", source, action);
    // Of this very move it must be: what an earlier one left holds what the volume held then.
    if (isUsable(there) && !isOfMove(mark, token)) throw otherCopy(target, action);
  }
  for (const record of inventory.volumes.values()) {
    if (record.id !== uuid && hasName(target, record, name)) throw nameTaken(target, record);
  }
}

interface MarkedSource {
  readonly record: VolumeRecord;
  readonly content: VolumeContent;
  readonly token: string;
  /** An earlier run has begun the move. */
  readonly wasMarked: boolean;
}

async function markSource(
  { source, target, uuid }: Move,
  action: string,
  signal: AbortSignal | undefined,
): Promise<MarkedSource> {
  const { identity } = await target.listing();
  return source.exclusive(action, signal, async (locked) => {
    const found = requireRecord({ source, uuid }, locked.fresh);
    requireMovable(source, found, locked.fresh, action);
    const record = await settleImages(source, found, action, locked);
    const held = moveOf(record) === undefined ? undefined : requireMark(record, "to", target, action);
    if (held?.isTakenBack === true) throw takenBack(source, action);
    const storage = identity === null ? {} : { storage: identity };
    const mark: MoveMark = held ?? {
      ...{ direction: "to", backend: target.name, token: newToken() },
      ...storage,
    };
    await source.target.removeExport(record, locked);
    const settings = withMove(record, mark);
    const marked = locked.fresh.keepVolume(await source.driver.updateVolume(record, { settings }, locked));
    const content = await filling(source).contentOf(marked, locked);
    return { record: marked, content, token: mark.token, wasMarked: held !== undefined };
  });
}

/** Removes what another move, or one that was being taken back, left on the target unfinished. */
async function removeOther(
  { source, target, uuid }: Move,
  claim: Claim,
  action: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { begin, complete } = removal(target, "volume", uuid);
  await carryOut(target, {
    action,
    signal,
    async begin(locked) {
      requireUndamaged(target, locked.fresh, "volume", uuid);
      const record = locked.fresh.volumes.get(uuid);
      if (record === undefined || isUsable(record)) return { state: "ready", record: null };
      requireOwn(target, "volume", record);
      const mark = requireMark(record, "from", source, action);
      const isThisMove = record.phase === "creating" && isOfMove(mark, claim.token);
      return isThisMove ? { state: "ready", record: null } : begin(locked);
    },
    complete,
  });
}

/** Without content where the volume is whole already. */
async function reserveTarget(
  move: Move,
  { record: from, wasMarked }: MarkedSource,
  claim: Claim,
  action: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly content: VolumeContent | undefined }> {
  const { source, target, uuid } = move;
  return target.exclusive(action, signal, async (locked) => {
    requirePlaceFor({ ...move, token: wasMarked ? claim.token : undefined }, locked.fresh);
    const there = locked.fresh.volumes.get(uuid);
    if (there !== undefined && isUsable(there)) return { content: undefined };
    if (there !== undefined && (there.phase !== "creating" || !isOfMove(moveOf(there), claim.token))) {
      throw takenOver(target, action);
    }
    if (there === undefined) {
      const { pool, provisioning, wishes = anyPlace } = move;
      const { sizeBytes, multiattach } = from;
      await locked.space.take(
        { action, sizeBytes, provisioning, multiattach, ...wishes },
        { backend: target, pool },
      );
    }
    // Whatever was ever copied to here, this volume is empty: nobody must be told that it was filled, and nothing write to it.
    if (there === undefined) await target.host.forgetJob(filling(target).fillingJob(uuid), { stop: true });
    const storage = move.identity;
    const mark: MoveMark = { direction: "from", backend: source.name, storage, ...claim };
    const volume: NewVolume = {
      id: uuid,
      name: move.name,
      owner: target.owner,
      sizeBytes: from.sizeBytes,
      pool: move.pool,
      provisioning: move.provisioning,
      multiattach: from.multiattach,
      // What it was made from stays behind.
      source: null,
      labels: from.labels,
      defaultLabels: from.defaultLabels,
      deletionProtection: from.deletionProtection,
      settings: withMove(from, mark, move.birthplace),
      createdAt: from.createdAt,
    };
    target.known.add(uuid);
    const reserved = locked.fresh.keepVolume(await filling(target).reserveVolume(volume, locked));
    // Where there may be a file system, none is ever made, wherever the volume is.
    const formatted = from.formatted || from.source !== null;
    const changes = {
      ...(formatted ? { formatted } : {}),
      ...(there === undefined ? {} : { settings: withMove(reserved, mark) }),
    };
    const noted =
      Object.keys(changes).length === 0
        ? reserved
        : locked.fresh.keepVolume(await target.driver.updateVolume(reserved, changes, locked));
    return { content: await filling(target).contentOf(noted, locked) };
  });
}

/** The one step after which the new volume is the one that counts. */
async function switchOver(
  move: Move,
  claim: Claim,
  action: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { source, target, uuid } = move;
  // What was copied is the volume's content for as long as nobody could write to that. Who takes the move back notes it here
  // before looking at the new volume, and so either finds that whole or keeps it from becoming so.
  await source.exclusive(action, signal, async ({ fresh }) => {
    const mark = requireMark(requireRecord(move, fresh), "to", target, action);
    if (!isOfMove(mark, claim.token) || mark.isTakenBack === true) throw takenBack(source, action);
  });
  await target.exclusive(action, signal, async (locked) => {
    requireUndamaged(target, locked.fresh, "volume", uuid);
    const record = locked.fresh.volumes.get(uuid);
    if (record === undefined) throw gone(target, uuid);
    requireOwn(target, "volume", record);
    const mark = requireMark(record, "from", source, action);
    if (record.phase === "deleting" || !isOfMove(mark, claim.token) || mark.run !== claim.run) {
      throw takenOver(target, action);
    }
    locked.fresh.keepVolume(await target.driver.completeVolume(uuid, locked));
  });
}

function requireRecord({ source, uuid }: Pick<Move, "source" | "uuid">, inventory: Inventory): VolumeRecord {
  requireUndamaged(source, inventory, "volume", uuid);
  const record = inventory.volumes.get(uuid);
  if (record === undefined) throw gone(source, uuid);
  requireOwn(source, "volume", record);
  return record;
}

function requireMark(
  record: VolumeRecord,
  direction: MoveMark["direction"],
  other: Backend,
  action: string,
): MoveMark {
  const mark = moveOf(record);
  if (mark?.direction === direction && other.answersTo(mark.backend)) return mark;
  throw new StorageError({
    kind: mark === undefined ? "AlreadyExists" : "VolumeIsBusy",
    action,
    reason:
      mark === undefined
        ? "The volume of that id there is no part of this move"
        : `It is being moved ${mark.direction} backend "${mark.backend}"`,
    nextStep: "Refresh the state and plan again",
  });
}

function otherCopy(target: Backend, action: string): StorageError {
  return new StorageError({
    kind: "AlreadyExists",
    action,
    reason:
      "Another whole volume of that id is there, which an earlier move left; what it holds may be older or newer, and neither is deleted",
    nextStep:
      "Compare the two on their hosts, and remove that of this backend by hand where it is not needed",
    backend: target.name,
    host: target.host.host,
    attribute: ["backend"],
  });
}

function takenBack(source: Backend, action: string): StorageError {
  return new StorageError({
    kind: "VolumeIsBusy",
    action,
    reason: "Another run has taken the move back meanwhile",
    nextStep: "Refresh the state and plan again; let one run at a time change a volume",
    backend: source.name,
    host: source.host.host,
  });
}

function takenOver(target: Backend, action: string): StorageError {
  return new StorageError({
    kind: "VolumeIsBusy",
    action,
    reason: "Another run works on this move",
    nextStep: "Let that end, refresh the state and plan again",
    backend: target.name,
    host: target.host.host,
  });
}

function filling(backend: Backend): VolumeDriver & FillsVolumes {
  if (fillsVolumes(backend.driver)) return backend.driver;
  throw cannotMove(backend, "move a volume");
}

function cannotMove(backend: Backend, action: string): StorageError {
  return new StorageError({
    kind: "NotSupported",
    action,
    reason: `Technology ${backend.driver.technology} gives nobody access to its volumes' content`,
    backend: backend.name,
    attribute: ["backend"],
  });
}

function gone(backend: Backend, uuid: string): StorageError {
  return new StorageError({
    kind: "VolumeNotFound",
    action: `move volume ${uuid}`,
    reason: "There is no such volume on this backend",
    nextStep: "Refresh the state and plan again",
    backend: backend.name,
    host: backend.host.host,
  });
}

function asStorageError(error: unknown, action: string): StorageError {
  return new StorageError({
    kind: "VolumeBackendError",
    action,
    reason: error instanceof Error ? error.message : String(error),
    cause: error,
  });
}
