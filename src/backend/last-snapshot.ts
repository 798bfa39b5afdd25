import { randomUUID } from "node:crypto";
import {
  type Inventory,
  isStorageError,
  type NewSnapshot,
  outlivesVolume,
  type SnapshotRecord,
  StorageError,
  type VolumeRecord,
  volumesBeingMadeFrom,
  type Work,
} from "../contract/index.ts";
import type { Backend, LockedBackend } from "./backend.ts";
import { carryOut } from "./carry-out.ts";
import { isMadeBy, newRun } from "./creation-runs.ts";
import { settleImages } from "./image-marks.ts";
import { lastSettings, lastSnapshotsOf, removeAtOnce, settleLastSnapshots } from "./last-snapshot-marks.ts";
import { describeObjects, isUsable } from "./ownership.ts";
import { removal, removeHalfMade, takenOver } from "./removal.ts";
import { deleteVolume, goneVolume, ownVolume, requireUnused, requireVolume } from "./volumes.ts";

/**
 * DEL-1 to DEL-3, after a last snapshot of the volume, in phase `retained`: no create takes it up, no run deletes it. Nobody
 * who has the volume from breezeblock can write between the two, as it is exported no more from before the snapshot is begun, and its
 * deletion begins in the holding of the lock that the snapshot is made whole in. Each call takes a snapshot of its own: what an earlier
 * one has taken may be older than the volume's content.
 *
 * @returns the snapshot; where there is no whole volume, that of an earlier call, or `undefined`
 * @throws StorageError before anything of the volume is gone; or once the snapshot is whole, with its name
 */
export async function deleteVolumeAfterSnapshot(
  backend: Backend,
  uuid: string,
  identity: string,
  signal: AbortSignal | undefined,
): Promise<SnapshotRecord | undefined> {
  const listing = await backend.listingOf(identity);
  const known = listing.volumes.get(uuid);
  if (known === undefined || !isUsable(known)) {
    await deleteVolume(backend, uuid, identity, signal, async ({ fresh }) => {
      const found = fresh.volumes.get(uuid);
      if (found !== undefined && isUsable(found)) throw madeWhole(backend, found);
    });
    return latestOf(uuid, listing);
  }
  const last = new LastSnapshot(backend, known);
  const { action } = last;
  let rest: Work<null>;
  try {
    rest = await carryOut(backend, {
      action,
      signal,
      begin: (locked) => last.begin(locked),
      complete: (locked) => last.complete(locked),
    });
  } catch (error) {
    throw await last.afterFailure(error);
  }
  if (rest.state === "working") {
    const { complete } = removal(backend, "volume", uuid);
    await carryOut(backend, { action, signal, begin: async () => rest, complete });
  }
  return last.taken;
}

/** The taking of a volume's last snapshot, up to where the volume's deletion has begun. */
class LastSnapshot {
  readonly action: string;
  /** Once it is there, and the volume may be gone, it is never removed again. */
  taken: SnapshotRecord | undefined;
  readonly #backend: Backend;
  readonly #volumeId: string;
  readonly #run = newRun();
  #made: string | undefined;

  constructor(backend: Backend, { name, id }: VolumeRecord) {
    this.#backend = backend;
    this.#volumeId = id;
    this.action = `delete volume "${name}" (${id}) after a last snapshot`;
  }

  async begin(locked: LockedBackend): Promise<Work<Work<null>>> {
    const { driver, target } = this.#backend;
    const found = ownVolume(this.#backend, this.#volumeId, locked);
    if (found === undefined) {
      // Somebody else has deleted it meanwhile, and perhaps not all that belongs to it.
      await target.removeExport(goneVolume(this.#volumeId), locked);
      this.taken = latestOf(this.#volumeId, locked.fresh);
      return done(done(null));
    }
    await settleLastSnapshots(this.#backend, found, this.action, locked);
    const volume = await this.#requireRemovable(locked);
    // Whoever is connected without a record of it must not write to what is copied.
    await target.removeExport(volume, locked);
    const snapshot = lastSnapshotOf(volume, this.#run);
    this.#made = snapshot.id;
    const work = await driver.createSnapshot(snapshot, volume, locked);
    if (work.state === "ready") return done(await this.#retain(work.record, locked));
    const { sizeBytes } = volume;
    locked.fresh.keepSnapshot({ ...snapshot, sizeBytes, phase: "creating", location: "" });
    return work;
  }

  async complete(locked: LockedBackend): Promise<Work<null>> {
    const id = this.#made ?? "";
    const record = locked.fresh.snapshots.get(id);
    if (record === undefined || !isMadeBy(record, this.#run)) {
      const { action } = this;
      throw takenOver(this.#backend, { kind: "snapshot", action, id, isThere: record !== undefined });
    }
    return this.#retain(await this.#backend.driver.completeSnapshot(id, locked), locked);
  }

  /** What to throw: what was made of the snapshot is removed, unless the volume may be gone. */
  async afterFailure(error: unknown): Promise<unknown> {
    const { action, taken } = this;
    if (taken !== undefined && isStorageError(error)) {
      return error.adding(`Its last snapshot "${taken.name}" (${taken.id}) is whole, and is kept`);
    }
    if (this.#made === undefined || taken !== undefined) return error;
    const half = { kind: "snapshot", action, id: this.#made, run: this.#run, isReserved: true } as const;
    await removeHalfMade(this.#backend, half, error);
    return error;
  }

  async #retain(made: SnapshotRecord, locked: LockedBackend): Promise<Work<null>> {
    const { driver } = this.#backend;
    const snapshot = await driver.updateSnapshot(made, { phase: "retained" }, locked);
    this.taken = locked.fresh.keepSnapshot(snapshot);
    try {
      // A copy may have taken long, without the lock.
      await this.#requireRemovable(locked);
      return await removal(this.#backend, "volume", this.#volumeId).begin(locked);
    } catch (error) {
      if (isStorageError(error, ...refusals)) await this.#takeBack(snapshot, locked);
      throw error;
    }
  }

  /** After a refusal: the snapshot goes, where the volume is certainly as it was. */
  async #takeBack(snapshot: SnapshotRecord, locked: LockedBackend): Promise<void> {
    const { volumes } = await this.#backend.driver.inventory(locked);
    const volume = volumes.get(this.#volumeId);
    if (volume === undefined || !isUsable(volume)) return;
    await removeAtOnce(this.#backend, snapshot, this.action, locked);
    this.#made = undefined;
    this.taken = undefined;
  }

  async #requireRemovable(locked: LockedBackend): Promise<VolumeRecord> {
    const volume = requireVolume(this.#backend, this.#volumeId, locked, "delete");
    const refuse = (kind: "VolumeIsBusy" | "NotSupported", reason: string, nextStep: string) =>
      new StorageError({ kind, action: this.action, reason, nextStep, backend: this.#backend.name });
    if (!isUsable(volume)) {
      throw refuse("VolumeIsBusy", "Another run is deleting it", "Run again when that has ended");
    }
    if (!this.#backend.driver.features.snapshotsOutlive.includes(volume.provisioning)) {
      throw refuse(
        "NotSupported",
        `The snapshots of a ${volume.provisioning} volume do not outlive it here`,
        'Write deletion_policy = "retain", which leaves the volume itself on the backend',
      );
    }
    requireUnused(volume, locked);
    const clones = volumesBeingMadeFrom({ kind: "volume", id: volume.id }, locked.fresh);
    if (clones.length > 0) {
      throw refuse(
        "VolumeIsBusy",
        `It is being copied to ${describeObjects(clones)}`,
        "Let that finish first, or destroy what it makes",
      );
    }
    return settleImages(this.#backend, volume, this.action, locked);
  }
}

/** With these a deletion is refused before it touches anything. */
const refusals = ["VolumeIsBusy", "DeletionProtected", "NotSupported"] as const;

function done<R>(record: R): Work<R> {
  return { state: "ready", record };
}

function lastSnapshotOf(volume: VolumeRecord, run: string): NewSnapshot {
  const { id: volumeId, owner, labels, defaultLabels } = volume;
  const id = randomUUID();
  const createdAt = new Date().toISOString();
  return {
    ...{ id, owner, volumeId, labels, defaultLabels, createdAt },
    name: nameOf(volume, id, createdAt),
    deletionProtection: false,
    settings: lastSettings(run),
  };
}

/** `db-last-20261130-1a2b3c4d`: as long as a name may be, and no other's. */
function nameOf({ name }: VolumeRecord, id: string, createdAt: string): string {
  const suffix = `-last-${createdAt.slice(0, 10).replaceAll("-", "")}-${id.slice(0, 8)}`;
  return `${name.slice(0, longestName - suffix.length)}${suffix}`;
}

const longestName = 63;

/** What an earlier call has taken before it could say so. */
function latestOf(volumeId: string, inventory: Pick<Inventory, "snapshots">): SnapshotRecord | undefined {
  return lastSnapshotsOf(volumeId, inventory)
    .filter(outlivesVolume)
    .sort((one, other) => one.createdAt.localeCompare(other.createdAt))
    .at(-1);
}

function madeWhole(backend: Backend, { name, id }: VolumeRecord): StorageError {
  return new StorageError({
    kind: "VolumeIsBusy",
    action: `delete volume "${name}" (${id})`,
    reason: "Another run has finished it meanwhile",
    nextStep: "Run again, so that a last snapshot is taken of it",
    backend: backend.name,
  });
}
