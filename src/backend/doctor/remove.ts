import { type Connector, keepsLeftovers, StorageError } from "../../contract/index.ts";
import { giveBackVolume } from "../adoption.ts";
import { detach } from "../attachments.ts";
import type { Backend, LockedBackend } from "../backend.ts";
import type { Confirmation } from "../removal.ts";
import { deleteSnapshot } from "../snapshots.ts";
import { deleteVolume, goneVolume } from "../volumes.ts";
import { gather } from "./evidence.ts";
import type { Finding, Place } from "./findings.ts";
import { judge, type Knowledge } from "./judge.ts";

export interface RemovalOptions {
  readonly knowledge: Knowledge;
  /** Takes access also from who uses it, or may. */
  readonly force: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Removes what a listing found, once a fresh listing under the lock has found it again: still this owner's, still in no
 * state, not in use.
 *
 * @returns `gone` where it went meanwhile by itself, or with something else
 * @throws StorageError why it was not removed
 */
export async function removeFinding(
  backend: Backend,
  finding: Finding,
  options: RemovalOptions,
): Promise<"removed" | "gone"> {
  let isGone = false;
  const confirm = async (locked: LockedBackend) => {
    const evidence = await gather(backend, locked);
    const { findings, inProgress, retained } = judge(evidence, options.knowledge);
    const again = findings.find(({ id }) => id === finding.id);
    if (again !== undefined) return requireRemovable(again, options.force);
    const other = [...inProgress, ...retained].find(({ id }) => id === finding.id);
    if (other !== undefined) throw refusal(other, other.reason, other.nextStep);
    if (stands(finding.place, locked)) {
      throw refusal(finding, "It is not what it was when it was listed: somebody uses it by now");
    }
    isGone = true;
  };
  await carryOutRemoval(backend, finding, { confirm, isGone: () => isGone, signal: options.signal });
  return isGone ? "gone" : "removed";
}

interface Proof {
  readonly confirm: Confirmation;
  /** After `confirm`. */
  isGone(): boolean;
  readonly signal: AbortSignal | undefined;
}

async function carryOutRemoval(
  backend: Backend,
  { id, place }: Finding,
  { confirm, isGone, signal }: Proof,
): Promise<void> {
  const identity = (await backend.listing()).identity ?? "";
  const alone = (work: (locked: LockedBackend) => Promise<void>) =>
    backend.exclusive(`remove ${id}`, signal, async (locked) => {
      await confirm(locked);
      // What went may have become somebody's by now.
      if (!isGone()) await work(locked);
    });
  switch (place.kind) {
    case "volume":
      if ((await backend.listing()).volumes.get(place.uuid)?.adoptedFrom !== undefined) {
        return giveBackVolume(backend, place.uuid, identity, signal, confirm);
      }
      return deleteVolume(backend, place.uuid, identity, signal, confirm);
    case "snapshot":
      return deleteSnapshot(backend, place.uuid, identity, signal, confirm);
    case "attachment":
      return detach(backend, place.uuid, identity, place.volumeId, signal, confirm);
    case "export":
      return alone((locked) => {
        backend.exportsChanged();
        return backend.target.removeExport(volumeOf(place, locked), locked);
      });
    case "acl":
      return alone(async (locked) => {
        const volume = locked.fresh.volumes.get(place.volumeId);
        if (volume === undefined) return;
        backend.exportsChanged();
        await backend.target.terminateConnection(volume, connectorOf(backend, place.initiator), locked);
      });
    case "job":
      return alone(() => backend.host.forgetJob({ id: place.jobId, directory: place.directory }));
    case "helper":
    case "file":
      return alone(async (locked) => {
        const { driver } = backend;
        if (keepsLeftovers(driver)) await driver.removeLeftover(place.leftover, locked);
      });
  }
}

/** @throws StorageError why it is not removed */
function requireRemovable(finding: Finding, force: boolean): void {
  const { removable, reason, nextStep, place } = finding;
  if (removable === true || (removable === "forced" && force)) return;
  const isObject = place.kind === "volume" || place.kind === "snapshot";
  throw refusal(finding, removable === "forced" && !isObject ? "Somebody uses it, or may" : reason, nextStep);
}

function refusal({ id, place }: Finding, reason: string, nextStep?: string): StorageError {
  return new StorageError({
    kind: place.kind === "snapshot" ? "SnapshotIsBusy" : "VolumeIsBusy",
    action: `remove ${id}`,
    reason,
    nextStep,
  });
}

/** Whether the object itself is there; of what is none, being found is all that there is. */
function stands(place: Place, { fresh }: LockedBackend): boolean {
  switch (place.kind) {
    case "volume":
      return fresh.volumes.has(place.uuid) || fresh.damaged.has(place.uuid);
    case "snapshot":
      return fresh.snapshots.has(place.uuid) || fresh.damaged.has(place.uuid);
    case "attachment":
      return fresh.volumeOfAttachment(place.uuid) !== undefined;
    default:
      return false;
  }
}

function volumeOf({ volumeId }: { readonly volumeId: string }, { fresh }: LockedBackend) {
  return fresh.volumes.get(volumeId) ?? goneVolume(volumeId);
}

/** A consumer as the target knows it. */
function connectorOf({ target }: Backend, initiator: string): Connector {
  return target.protocol === "iSCSI" ? { initiator } : { nqn: initiator };
}
