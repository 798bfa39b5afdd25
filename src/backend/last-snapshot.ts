import { randomUUID } from "node:crypto";
import {
  type NewSnapshot,
  outlivesVolume,
  type SnapshotRecord,
  StorageError,
  type VolumeRecord,
  type Work,
} from "../contract/index.ts";
import type { Backend, LockedBackend } from "./backend.ts";
import { carryOut } from "./carry-out.ts";
import { isMadeBy, newRun, withRun } from "./creation-runs.ts";
import { settleImages } from "./image-marks.ts";
import { isUsable } from "./ownership.ts";
import { removal, removeHalfMade, takenOver } from "./removal.ts";
import { deleteVolume, goneVolume, requireUnused, requireVolume } from "./volumes.ts";

/** Among a snapshot's settings on the host: it is, or is to be, the last of its volume. */
const lastKey = "last";

/**
 * DEL-1 to DEL-3, after a last snapshot of the volume, in phase `retained`: no create takes it up, no run deletes it. Nobody
 * can write between the two, as the deletion begins in the holding of the lock that the snapshot is made whole in. Each call
 * takes a snapshot of its own: what an earlier one has taken may be older than the volume's content.
 *
 * @returns the snapshot, or `undefined` where there was no whole volume to take one of
 * @throws StorageError before anything of the volume is gone, or once the snapshot is whole
 */
export async function deleteVolumeAfterSnapshot(
  backend: Backend,
  uuid: string,
  identity: string,
  signal: AbortSignal | undefined,
): Promise<SnapshotRecord | undefined> {
  const known = (await backend.listingOf(identity)).volumes.get(uuid);
  if (known === undefined || !isUsable(known)) {
    await deleteVolume(backend, uuid, identity, signal);
    return undefined;
  }
  const last = new LastSnapshot(backend, known);
  let rest: Work<null>;
  try {
    rest = await carryOut(backend, {
      action: last.action,
      signal,
      begin: (locked) => last.begin(locked),
      complete: (locked) => last.complete(locked),
    });
  } catch (error) {
    throw await last.afterFailure(error);
  }
  await carryOut(backend, {
    action: last.action,
    signal,
    begin: async () => rest,
    complete: removal(backend, "volume", uuid).complete,
  });
  return last.taken;
}

/** The taking of a volume's last snapshot, up to where the volume's deletion has begun. */
class LastSnapshot {
  readonly action: string;
  /** Once it is there, it is never removed again: the volume may be gone. */
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
    const { driver } = this.#backend;
    const volume = await this.#requireRemovable(locked);
    const earlier = [...locked.fresh.snapshots.values()].filter(
      (snapshot) => snapshot.volumeId === volume.id && isLast(snapshot),
    );
    // What a killed run has finished is given up as this one's will be, so that it holds the volume no more.
    for (const whole of earlier.filter((one) => isUsable(one) && one.phase !== "retained")) {
      locked.fresh.keepSnapshot(await driver.updateSnapshot(whole, { phase: "retained" }, locked));
    }
    const begun = earlier.find(({ phase }) => phase === "creating");
    const snapshot = lastSnapshotOf(volume, begun, this.#run);
    if (begun !== undefined) {
      const { settings } = snapshot;
      locked.fresh.keepSnapshot(await driver.updateSnapshot(begun, { settings }, locked));
    }
    this.#made = snapshot.id;
    const work = await driver.createSnapshot(snapshot, volume, locked);
    if (work.state === "ready") return { state: "ready", record: await this.#retain(work.record, locked) };
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

  /** What to throw: what was made of the snapshot is removed, unless it is whole. */
  async afterFailure(error: unknown): Promise<unknown> {
    if (this.#made === undefined || this.taken !== undefined) return error;
    const { action } = this;
    const half = { kind: "snapshot", action, id: this.#made, run: this.#run, isReserved: true } as const;
    await removeHalfMade(this.#backend, half, error);
    return error;
  }

  async #retain(snapshot: SnapshotRecord, locked: LockedBackend): Promise<Work<null>> {
    const { driver, target } = this.#backend;
    // A copy may have taken long, without the lock.
    await this.#requireRemovable(locked);
    locked.fresh.keepSnapshot(snapshot);
    this.taken = locked.fresh.keepSnapshot(
      await driver.updateSnapshot(snapshot, { phase: "retained" }, locked),
    );
    await target.removeExport(locked.fresh.volumes.get(this.#volumeId) ?? goneVolume(this.#volumeId), locked);
    return removal(this.#backend, "volume", this.#volumeId).begin(locked);
  }

  async #requireRemovable(locked: LockedBackend): Promise<VolumeRecord> {
    const volume = requireVolume(this.#backend, this.#volumeId, locked, "delete");
    if (!isUsable(volume)) {
      throw new StorageError({
        kind: "VolumeIsBusy",
        action: this.action,
        reason: "Another run is deleting it",
        nextStep: "Run again when that has ended",
      });
    }
    requireUnused(volume, locked, (snapshot) => isLast(snapshot) || outlivesVolume(snapshot));
    await settleImages(this.#backend, volume, this.action, locked);
    return volume;
  }
}

function isLast({ settings }: SnapshotRecord): boolean {
  return settings[lastKey] === true;
}

function lastSnapshotOf(volume: VolumeRecord, begun: SnapshotRecord | undefined, run: string): NewSnapshot {
  const { id: volumeId, owner, labels, defaultLabels } = volume;
  const createdAt = begun?.createdAt ?? new Date().toISOString();
  return {
    id: begun?.id ?? randomUUID(),
    name: begun?.name ?? nameOf(volume, createdAt),
    ...{ owner, volumeId, labels, defaultLabels, createdAt },
    deletionProtection: false,
    settings: withRun({ [lastKey]: true }, run),
  };
}

/** `db-last-20261130T101500Z`: as long as a name may be, and another one each time. */
function nameOf({ name }: VolumeRecord, createdAt: string): string {
  const suffix = `-last-${createdAt.replace(/[-:]|\.\d+/g, "")}`;
  return `${name.slice(0, longestName - suffix.length)}${suffix}`;
}

const longestName = 63;
