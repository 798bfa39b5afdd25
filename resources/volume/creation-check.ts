import {
  type Backend,
  hasName,
  isPassedOver,
  isUnclaimed,
  nameTaken,
  type Pin,
  type Placed,
  type PlannedCreation,
  requireSource,
} from "../../src/backend/index.ts";
import { type Inventory, isStorageError, StorageError, type VolumeRecord } from "../../src/contract/index.ts";
import { lookAhead } from "../../src/images/index.ts";
import type { Rejection } from "../../src/scheduler/index.ts";
import { acknowledgeReplaced, parseBackendReference, toleratesAbsence } from "../common/objects.ts";
import { claimForCreation } from "../common/planned-names.ts";
import {
  type HookContext,
  isUnknown,
  isWhollyKnown,
  type PrivateData,
  UNKNOWN,
  type Value,
} from "../schema/index.ts";
import type { VolumePlan, Written } from "./attributes.ts";
import { demandOf } from "./demand.ts";
import { checkDeletionPolicy } from "./refusals.ts";
import { imageIn, sourceOf } from "./source.ts";
import { creationKey, pinOf } from "./space.ts";

/** What is found out of a creation. */
export interface CheckedCreation {
  readonly identity: VolumePlan["backend_identity"];
  /** Where it would go as things stand, where the plan leaves that open. */
  readonly expected?: string | undefined;
}

/**
 * Whether a create can succeed, as far as configuration, inventory and space tell. Returns what the storage calls itself,
 * where the backend is known: a plan that says so cannot be carried out on another that has come to its place, which at
 * apply nothing else would tell.
 *
 * @param isOpen the configuration names no backend: any that fits will do
 */
export async function checkCreation(
  context: HookContext,
  planned: VolumePlan,
  privateData: PrivateData,
  isOpen: boolean,
): Promise<CheckedCreation> {
  if (isOpen) {
    return { identity: UNKNOWN, expected: await checkOpenCreation(context, planned, privateData) };
  }
  if (isUnknown(planned.backend)) return { identity: UNKNOWN };
  const { name, pool } = parseBackendReference(planned.backend);
  const backend = context.fleet.backend(name, ["backend"]);
  const { provisioning } = planned;
  checkClearing(backend, planned);
  if (!isUnknown(provisioning) && !backend.driver.features.provisioning.includes(provisioning)) {
    throw new StorageError({
      kind: "NotSupported",
      action: `make a ${provisioning} volume`,
      reason: `This backend makes ${backend.driver.features.provisioning.join(" or ")} volumes only`,
      backend: backend.name,
      attribute: ["provisioning"],
    });
  }
  // Also where an unreachable host is tolerated: what is replaced must not be taken for unfinished at apply.
  await acknowledgeReplaced(backend, privateData);
  try {
    await backend.checkIdentity("creation");
    const listing = await backend.listing();
    const source = await checkSource(context, backend, listing, planned);
    await checkImage(backend, planned);
    const found = await claim(context, backend, listing, planned, privateData);
    const sizeBytes = isUnknown(planned.size_bytes) ? (source?.sizeBytes ?? UNKNOWN) : planned.size_bytes;
    if (!isUnknown(sizeBytes)) {
      await proveSpace(context, planned, sizeBytes, { ...found, pins: [pinOf(backend, pool)] });
    }
    return { identity: listing.identity ?? UNKNOWN };
  } catch (error) {
    if (!toleratesAbsence(backend, error)) throw error;
    return { identity: UNKNOWN };
  }
}

/** The same for a volume that may go to any backend. */
async function checkOpenCreation(
  context: HookContext,
  planned: VolumePlan,
  privateData: PrivateData,
): Promise<string | undefined> {
  // All at once; what comes of it is looked at below.
  await Promise.allSettled(context.fleet.backends.map((backend) => backend.listing()));
  const pins: Pin[] = [];
  const excluded: Rejection[] = [];
  const replaced: Placed[] = [];
  let begun: { readonly pin: Pin; readonly existingBytes: number } | undefined;
  for (const backend of context.fleet.backends) {
    try {
      if (typeof privateData["replaces"] === "string" && backend.known.has(privateData["replaces"])) {
        await acknowledgeReplaced(backend, privateData);
      }
      checkAbilities(context, backend, planned);
      await backend.checkIdentity("creation");
      const there = await claim(context, backend, await backend.listing(), planned, privateData);
      replaced.push(...there.replaced);
      pins.push(pinOf(backend));
      // What a killed run began is gone on with where it is.
      const { existingBytes } = there;
      if (existingBytes !== undefined) begun = { pin: pinOf(backend), existingBytes };
    } catch (error) {
      const isOutOfTheQuestion = isStorageError(error, "NotSupported") || isPassedOver(backend, error);
      if (!isStorageError(error) || !isOutOfTheQuestion) throw error;
      if (!isStorageError(error, "NotSupported")) considerUnseen(context, backend, planned, error);
      excluded.push({ backend: backend.name, pool: null, reason: error.reason });
    }
  }
  if (isUnknown(planned.size_bytes)) return undefined;
  return proveSpace(
    context,
    planned,
    planned.size_bytes,
    begun === undefined
      ? { replaced, pins, excluded }
      : { replaced, pins: [begun.pin], existingBytes: begun.existingBytes },
  );
}

/**
 * A killed run may have begun this volume on a backend that cannot be asked now; made elsewhere, it is there twice.
 *
 * @throws StorageError `BackendIdentityMismatch` as it is: other storage has come to the place of what held volumes
 */
function considerUnseen(
  context: HookContext,
  backend: Backend,
  { name, name_prefix: prefix }: VolumePlan,
  error: StorageError,
): void {
  if (isUnknown(name) || prefix !== null) return;
  if (error.kind === "BackendIdentityMismatch") throw error;
  context.warn({
    summary: `Backend "${backend.name}" is left out, and was not asked for volume "${name}"`,
    detail: `${error.detail} If a run that was killed began the volume there, that stays behind, and another is made elsewhere: "breezeblock doctor" shows it once the backend can be used again.`,
    path: ["name"],
  });
}

async function proveSpace(
  context: HookContext,
  planned: VolumePlan,
  sizeBytes: number,
  rest: Omit<PlannedCreation, "key" | "isShared" | "demand">,
): Promise<string | undefined> {
  const demand = await demandOf(context, planned, sizeBytes);
  const place = await context.plannedSpace?.create({ ...creationKey(planned, demand), demand, ...rest });
  return place?.backend;
}

/** What of a creation is on a backend already. */
interface Found {
  /** A volume that it takes the place of. */
  readonly replaced: readonly Placed[];
  /** Of a killed create that it goes on with. */
  readonly existingBytes?: number;
}

/** Sees to it that the name is free, or will be. */
async function claim(
  context: HookContext,
  backend: Backend,
  listing: Inventory,
  planned: VolumePlan,
  privateData: PrivateData,
): Promise<Found> {
  const { name } = planned;
  const replaced = listing.volumes.get(String(privateData["replaces"]));
  const found: Found = {
    replaced: replaced === undefined || staysInPart(replaced) ? [] : [{ backend, record: replaced }],
  };
  if (isUnknown(name) || planned.name_prefix !== null) return found;
  if (replaced !== undefined && keepsName(replaced) && hasName(backend, replaced, name)) {
    throw new StorageError({
      kind: "AlreadyExists",
      action: `replace volume "${name}" (${replaced.id})`,
      reason:
        'Its deletion_policy is "retain": it stays on the backend with its name, and what takes its place cannot have that as well',
      nextStep: "Write another name, or name_prefix; or apply another deletion_policy first",
      backend: backend.name,
      attribute: ["name"],
    });
  }
  await claimForCreation(context, backend, "volume", name, listing.volumes, privateData);
  const namesake = [...listing.volumes.values()].find((record) => hasName(backend, record, name));
  if (namesake === undefined) return found;
  if (mayBeResumed(backend, namesake)) return { ...found, existingBytes: namesake.sizeBytes };
  if (!backend.known.has(namesake.id)) warnOfTakenName(context, backend, namesake);
  return { replaced: [...found.replaced, { backend, record: namesake }] };
}

/** Whether it is still to be retained as it is. What others made gets its own name back. */
function keepsName({ settings, adoptedFrom, phase }: VolumeRecord): boolean {
  return settings["deletion_policy"] === "retain" && adoptedFrom === undefined && phase !== "retained";
}

/** Whether its space is not free once it is destroyed: it is retained, or a last snapshot of it is. */
function staysInPart({ settings }: VolumeRecord): boolean {
  return settings["deletion_policy"] === "retain" || settings["deletion_policy"] === "snapshot";
}

/** @throws StorageError `NotSupported` where a volume without a backend asks for what this one cannot do */
export function checkAbilities(context: HookContext, backend: Backend, planned: VolumePlan): void {
  checkClearing(backend, planned);
  checkDeletionPolicy(context, { ...planned, backend: backend.name });
}

/** Clearing is for thick volumes of storage that hands out what others had before. */
export function checkClearing(backend: Backend, planned: VolumePlan): void {
  const { provisioning, volume_clear: clear } = planned;
  if (clear === null) return;
  const made = isUnknown(provisioning) ? backend.driver.features.provisioning[0] : provisioning;
  if (made === "thick" && "volumeClear" in backend.settings.technology) return;
  throw new StorageError({
    kind: "NotSupported",
    action: `decide on the clearing of a ${made} volume of technology ${backend.driver.technology}`,
    reason: "Only thick volumes of LVM are cleared; all others never show old data by themselves",
    nextStep: "Leave volume_clear out",
    backend: backend.name,
    attribute: ["volume_clear"],
  });
}

/** The source, where it is known already. Throws where it is not there, or does not fit. */
async function checkSource(
  context: HookContext,
  backend: Backend,
  inventory: Inventory,
  planned: VolumePlan,
): Promise<{ readonly sizeBytes: number } | null> {
  const { source, size_bytes: sizeBytes } = planned;
  if (source === null || !isWhollyKnown(source as Value)) return null;
  const found = await sourceOf(context, source as Written["source"], backend);
  // What is imported is claimed by the same apply, before it is copied.
  if (found !== null && isUnclaimed(backend, found.id)) return null;
  // What is moved is there by then, and as large.
  if (found === null || found.isMoved) return null;
  return requireSource(backend, found, inventory, isUnknown(sizeBytes) ? null : sizeBytes);
}

/** Whether a create of that name would go on with this volume. */
function mayBeResumed(backend: Backend, record: VolumeRecord): boolean {
  const isUnfinished =
    record.phase === "creating" || (record.phase === "unacknowledged" && backend.owner !== "");
  return isUnfinished && !backend.known.has(record.id);
}

/** Whether the image, as far as it can be looked at already, is what it is declared to be, and fits. */
async function checkImage(backend: Backend, { source, size_bytes: sizeBytes }: VolumePlan): Promise<void> {
  if (source === null || !isWhollyKnown(source as Value)) return;
  const image = imageIn(source as Written["source"]);
  if (image === undefined) return;
  await lookAhead(backend.host, image, isUnknown(sizeBytes) ? null : sizeBytes, "use the image");
}

/**
 * A warning only, because the volume may be the one that this creation replaces: the engines plan a replacement that is
 * made first again at apply, without a word of the old volume, and an error then makes them forget that it is in use.
 * The create itself refuses.
 */
function warnOfTakenName(context: HookContext, backend: Backend, record: VolumeRecord): void {
  const { detail, attribute } = nameTaken(backend, record);
  context.warn({
    summary: `Creating volume "${record.name}" is going to be refused`,
    detail,
    path: attribute,
  });
}
