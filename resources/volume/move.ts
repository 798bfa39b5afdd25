import {
  type Backend,
  bringTo,
  moveKey,
  moveOf,
  parseObjectId,
  refuseSameStorage,
  requireMovable,
  requirePlaceFor,
  settleMove,
  updateVolume,
  type Whereabouts,
} from "../../src/backend/index.ts";
import { bytesPerGib, type Provisioning, StorageError, type VolumeRecord } from "../../src/contract/index.ts";
import { identityOf, parseBackendReference, toleratesAbsence } from "../common/objects.ts";
import { gibToBytes } from "../common/sizes.ts";
import { type HookContext, isUnknown, PartialStateError, settled, UNKNOWN } from "../schema/index.ts";
import type { VolumePlan, VolumeState, Written } from "./attributes.ts";
import { writtenNames } from "./attributes.ts";
import { changesBetween } from "./changes.ts";
import { placeDemandOf, placeWishesOf } from "./demand.ts";
import { follow, holderOf } from "./place.ts";
import { pinOf } from "./space.ts";
import { stateOf } from "./state.ts";

/**
 * A move, and the end of what is left of one, put no content back: what a plan promised of `restore` would not be done.
 *
 * @throws StorageError `VolumeIsBusy`
 */
export function refuseRestoreWithMove(
  prior: Pick<VolumeState, "id" | "name" | "migration" | "restore">,
  planned: Pick<VolumePlan, "restore">,
): void {
  const wanted = planned.restore;
  if (prior.restore === null || wanted === null) return;
  if (!isUnknown(wanted) && wanted.trigger === prior.restore.trigger) return;
  throw new StorageError({
    kind: "VolumeIsBusy",
    action: `put volume "${prior.name}" (${prior.id}) back to a snapshot`,
    reason:
      prior.migration === null
        ? "It is moved to another backend by the same plan"
        : `Its move ${prior.migration} was interrupted, and is ended first`,
    nextStep: "Apply with the restore block as it was, and change its trigger afterwards",
    attribute: ["restore"],
  });
}

/** What a move changes of a plan; refuses what cannot be, as far as it can be seen. */
export async function planMove(
  context: HookContext | null,
  planned: VolumePlan,
  prior: VolumeState,
  writtenProvisioning: VolumePlan["provisioning"] | null,
): Promise<VolumePlan> {
  const moving: VolumePlan = {
    ...planned,
    pool: UNKNOWN,
    provider_location: UNKNOWN,
    device_path: UNKNOWN,
    backend_identity: UNKNOWN,
    // Space is given out in other units there.
    size_bytes:
      planned.size === prior.size && prior.size_bytes % bytesPerGib !== 0 ? UNKNOWN : planned.size_bytes,
  };
  if (isUnknown(planned.backend)) return { ...moving, provisioning: writtenProvisioning ?? UNKNOWN };
  const { name } = parseBackendReference(planned.backend);
  if (context === null) return { ...moving, provisioning: writtenProvisioning ?? UNKNOWN };
  const target = context.fleet.backend(name, ["backend"]);
  const provisioning = provisioningOn(target, prior, writtenProvisioning);
  const identity = await checkMove(context, target, { ...moving, provisioning }, prior);
  return { ...moving, provisioning, backend_identity: identity };
}

/** The one that it has, where the backend makes that, otherwise the backend's first. @throws StorageError `NotSupported` */
function provisioningOn(
  target: Backend,
  prior: VolumeState,
  written: VolumePlan["provisioning"] | null,
): VolumePlan["provisioning"] {
  const possible = target.driver.features.provisioning;
  if (written === null) {
    return possible.find((kind) => kind === prior.provisioning) ?? possible[0] ?? UNKNOWN;
  }
  if (isUnknown(written) || possible.includes(written as Provisioning)) return written;
  throw new StorageError({
    kind: "NotSupported",
    action: `move volume "${prior.name}" to backend "${target.name}" as a ${written} volume`,
    reason: `That backend makes ${possible.join(" or ")} volumes only`,
    nextStep: "Write a provisioning that it has, or leave provisioning out",
    backend: target.name,
    attribute: ["provisioning"],
  });
}

/** Returns what the storage calls itself that the volume goes to. */
async function checkMove(
  context: HookContext,
  target: Backend,
  planned: VolumePlan,
  prior: VolumeState,
): Promise<VolumePlan["backend_identity"]> {
  const { backend: source } = holderOf(context, prior);
  const action = `move volume "${prior.name}" from backend "${source.name}" to "${target.name}"`;
  if (planned.multiattach && !target.driver.features.multiattach) {
    throw new StorageError({
      kind: "NotSupported",
      action,
      reason: "That backend's volumes have one attachment at a time",
      backend: target.name,
      attribute: ["multiattach"],
    });
  }
  try {
    const place = await follow(context, prior);
    const { identity } = await target.listing();
    if (place === undefined) return identity ?? UNKNOWN;
    if (place.backend === target) {
      // An earlier run has moved it.
      const wanted = wantedBytes(planned);
      if (wanted > place.record.sizeBytes) {
        await context.plannedSpace?.grow(pinOf(target), place.record, wanted);
      }
      return identity ?? UNKNOWN;
    }
    const { backend: from, record } = place;
    const uuid = record.id;
    refuseSameStorage(
      { source: from, target, identity: (await from.listing()).identity ?? "" },
      action,
      identity,
    );
    requireMovable(from, record, await from.listing(), action);
    // Where another move has to be ended first, what is there now is not what will be.
    if (moveOf(record) === undefined) {
      const name = isUnknown(planned.name) ? prior.name : planned.name;
      const token = undefined;
      requirePlaceFor({ source: from, target, uuid, name, token }, await target.listing());
    }
    await countMove(context, target, planned, record, action);
    return identity ?? UNKNOWN;
  } catch (error) {
    if (toleratesAbsence(source, error) || toleratesAbsence(target, error)) return UNKNOWN;
    throw error;
  }
}

/**
 * Counts the volume on its new backend, with all else that is planned, as a creation there. What it frees where it is
 * counts for nothing: until the data is whole elsewhere, it is there twice.
 */
async function countMove(
  context: HookContext,
  target: Backend,
  planned: VolumePlan,
  record: Pick<VolumeRecord, "id" | "sizeBytes">,
  action: string,
): Promise<void> {
  const { pool } = parseBackendReference(isUnknown(planned.backend) ? target.name : planned.backend);
  const begun = (await target.listing()).volumes.get(record.id);
  const demand = placeDemandOf(planned, Math.max(record.sizeBytes, wantedBytes(planned)));
  // Hints do not count: what they name may move as well.
  await context.plannedSpace?.create({
    key: moveKey(record.id),
    isShared: false,
    demand: { ...demand, action },
    pins: [pinOf(target, pool)],
    existingBytes: begun?.sizeBytes,
  });
}

function wantedBytes({ size }: VolumePlan): number {
  return isUnknown(size) ? 0 : gibToBytes(size);
}

/** Moves a volume, or ends what is left of an earlier move, and carries out whatever else the plan changes. */
export async function move(
  context: HookContext,
  prior: VolumeState,
  planned: VolumePlan,
): Promise<VolumeState> {
  const written: Written & Pick<VolumeState, "backend"> = settled(planned, [...writtenNames, "backend"]);
  const { name: backendName, pool } = parseBackendReference(written.backend);
  const { fleet, signal } = context;
  const target = fleet.backend(backendName, ["backend"]);
  const place = await follow(context, prior);
  if (place === undefined) {
    throw new StorageError({
      kind: "VolumeNotFound",
      action: `move volume "${prior.name}" (${prior.id})`,
      reason: "It is not there any more",
      nextStep: "Refresh the state; a volume that was deleted behind its back is then planned anew",
      backend: prior.backend,
    });
  }
  try {
    const changes = changesBetween(context, prior, planned, written);
    const moved = await bringTo(
      fleet,
      place,
      {
        target,
        birthplace: parseObjectId(prior.id, "id").backend,
        name: changes.name ?? prior.name,
        pool,
        provisioning: settledProvisioning(target, planned, prior),
        wishes: placeWishesOf(planned),
      },
      signal,
    );
    const identity = await identityOf(target);
    // As large as it has become by moving, it is grown no further than what is written.
    const grown = { sizeBytes: isUnknown(planned.size) ? moved.record.sizeBytes : gibToBytes(planned.size) };
    const rest = grown.sizeBytes > moved.record.sizeBytes ? { ...changes, ...grown } : withoutSize(changes);
    const record = await updateVolume(target, moved.record.id, identity, rest, signal);
    return stateOf(record, target, identity, { ...written, id: prior.id });
  } catch (error) {
    throw new PartialStateError(await stateAfter(context, prior, written), error);
  }
}

/** Before a volume is deleted or given up: nothing of a move is left anywhere. */
export async function settledPlace(
  context: HookContext,
  state: VolumeState,
): Promise<{ readonly backend: Backend; readonly identity: string }> {
  const place = await follow(context, state);
  if (place === undefined)
    return { backend: holderOf(context, state).backend, identity: state.backend_identity };
  const settledAt: Whereabouts = await settleMove(context.fleet, place, context.signal);
  const isHere = settledAt.backend === holderOf(context, state).backend;
  const identity = isHere ? state.backend_identity : await identityOf(settledAt.backend);
  return { backend: settledAt.backend, identity };
}

function settledProvisioning(target: Backend, planned: VolumePlan, prior: VolumeState): Provisioning {
  const { provisioning } = planned;
  const chosen = isUnknown(provisioning) ? provisioningOn(target, prior, null) : provisioning;
  return chosen === "thick" ? "thick" : "thin";
}

function withoutSize<T extends { readonly sizeBytes?: number }>(changes: T): Omit<T, "sizeBytes"> {
  const { sizeBytes: _, ...others } = changes;
  return others;
}

/** What state is to hold after a failure: the volume as it is, where it is, and what is left of the move. */
async function stateAfter(
  context: HookContext,
  prior: VolumeState,
  written: Pick<VolumeState, "backend">,
): Promise<VolumeState> {
  try {
    const place = await follow(context, prior);
    if (place === undefined) return prior;
    const { backend, record } = place;
    const isHere = holderOf(context, prior).backend === backend;
    const at = isHere ? prior.backend : written.backend;
    const identity = isHere ? prior.backend_identity : await identityOf(backend);
    return stateOf(record, backend, identity, { ...prior, backend: at });
  } catch {
    // Nobody can tell now: the next run can.
    return { ...prior, migration: prior.migration ?? `to ${parseBackendReference(written.backend).name}` };
  }
}
