import { type Backend, parseObjectId, requireRestorable, restoreVolume } from "../../src/backend/index.ts";
import { isStorageError, StorageError, type VolumeRecord } from "../../src/contract/index.ts";
import { locate, toleratesAbsence } from "../common/objects.ts";
import { claimForRestore } from "../common/planned-names.ts";
import { type HookContext, isImported, isUnknown, type PrivateData } from "../schema/index.ts";
import type { VolumePlan, VolumeState, Written } from "./attributes.ts";
import { keptRestore } from "./kept-restore.ts";
import { settingsOf } from "./state.ts";

/**
 * Only another trigger than one that was known before puts anything back; of an imported volume none was known to this
 * configuration. What has begun already is finished also then: it cannot stay as it is.
 */
export async function isRestored(
  backend: Backend,
  prior: VolumeState,
  planned: VolumePlan["restore"],
  privateData: PrivateData,
): Promise<boolean> {
  if (prior.restore === null || planned === null) return false;
  const isChanged =
    isUnknown(planned) || isUnknown(planned.trigger) || planned.trigger !== prior.restore.trigger;
  return isChanged && isImported(privateData) ? isHalfRestored(backend, prior) : isChanged;
}

/** Whether a killed run has left it so. Not known of a backend that may be absent. */
export async function isHalfRestored(backend: Backend, prior: VolumeState): Promise<boolean> {
  try {
    const { volumes } = await backend.listing();
    return volumes.get(parseObjectId(prior.id, "id").uuid)?.restoring !== undefined;
  } catch (error) {
    if (toleratesAbsence(backend, error)) return false;
    throw error;
  }
}

/**
 * What the plan says of a changed `restore`, and what keeps it from being carried out.
 *
 * @throws StorageError when it cannot be
 */
export async function planRestore(
  context: HookContext,
  backend: Backend,
  prior: VolumeState,
  planned: VolumePlan,
  privateData: PrivateData,
): Promise<void> {
  const { restore: wanted } = planned;
  if (wanted === null) return;
  if (!(await isRestored(backend, prior, wanted, privateData))) {
    await warnIfNothingHappens(context, backend, prior, wanted, privateData);
    return;
  }
  const name = `volume "${prior.name}" (${prior.id})`;
  const lost = "Everything written to the volume since is lost.";
  if (isUnknown(wanted) || isUnknown(wanted.snapshot_id)) {
    warn(context, `${name} is put back to a snapshot`, `Which one is known at apply only. ${lost}`);
    return;
  }
  const snapshotId = wanted.snapshot_id;
  const uuid = snapshotOf(context, backend, snapshotId);
  try {
    const listing = await backend.listing();
    const record = listing.volumes.get(parseObjectId(prior.id, "id").uuid);
    if (record === undefined) return;
    const { trigger } = wanted;
    if (record.restoring === undefined && isDone(record.settings, { trigger, snapshot_id: snapshotId }))
      return;
    const { snapshot } = requireRestorable(backend, record, uuid, listing);
    refuseGrowth(prior, planned);
    claimForRestore(context, backend, uuid);
    const taken = `taken ${ageOf(snapshot.createdAt)} ago, at ${snapshot.createdAt}`;
    warn(
      context,
      `${name} is put back to snapshot "${snapshot.name}"`,
      `The snapshot ${snapshotId} was ${taken}. ${lost}`,
    );
  } catch (error) {
    if (!toleratesAbsence(backend, error)) throw error;
    warn(
      context,
      `${name} is put back to a snapshot`,
      `The snapshot is ${snapshotId}; its host was not reached, so that more is not known. ${lost}`,
    );
  }
}

/** Puts the volume back, unless the host says that this was done for this trigger already. */
export async function restore(
  context: HookContext,
  backend: Backend,
  uuid: string,
  identity: string,
  written: Written,
): Promise<void> {
  const wanted = written.restore;
  if (wanted === null) return;
  const request = {
    snapshotId: snapshotOf(context, backend, wanted.snapshot_id),
    settings: settingsOf(written),
    isDone: (settings: VolumeRecord["settings"]) => isDone(settings, wanted),
  };
  await restoreVolume(backend, uuid, identity, request, context.signal);
}

/** A volume that was left half-way is of no use to anybody until that is finished. */
export function warnIfRestoring(context: HookContext, record: VolumeRecord): void {
  if (record.restoring === undefined) return;
  context.warn({
    summary: `Volume "${record.name}" is half-way through being put back to a snapshot`,
    detail: `A run that put it back to snapshot ${record.restoring} was interrupted. It cannot be attached or copied until that is finished: apply again with the same restore block. With the trigger that was there before, it is taken back instead, where the volume is whole.`,
    path: ["restore"],
  });
}

function snapshotOf(context: HookContext, backend: Backend, id: string): string {
  const attribute = ["restore", "snapshot_id"];
  const located = locate(context, id, attribute);
  if (located.backend === backend) return located.uuid;
  throw new StorageError({
    kind: "InvalidInput",
    action: `put a volume on backend "${backend.name}" back to a snapshot on backend "${located.backend.name}"`,
    reason: "Only the volume's own snapshots can be restored",
    attribute,
  });
}

/** @throws StorageError where the trigger was used already, with another snapshot: what would be done is not what is written */
function isDone(
  settings: VolumeRecord["settings"],
  wanted: { readonly trigger: unknown; readonly snapshot_id: string },
): boolean {
  const kept = keptRestore(settings);
  if (kept === undefined || kept.trigger !== wanted.trigger) return false;
  if (uuidOf(kept.snapshot_id) === uuidOf(wanted.snapshot_id)) return true;
  throw new StorageError({
    kind: "InvalidInput",
    action: `put a volume back to snapshot ${wanted.snapshot_id}`,
    reason: `Its trigger "${kept.trigger}" was used already, with snapshot ${kept.snapshot_id}`,
    nextStep: "Write a trigger that was not used before",
    attribute: ["restore", "trigger"],
  });
}

/** Of an id, whatever its backend was called when it was written. */
function uuidOf(id: string): string {
  return id.slice(id.lastIndexOf("/") + 1);
}

async function warnIfNothingHappens(
  context: HookContext,
  backend: Backend,
  prior: VolumeState,
  wanted: Exclude<VolumePlan["restore"], null>,
  privateData: PrivateData,
): Promise<void> {
  const name = `volume "${prior.name}" (${prior.id})`;
  const isOther = isUnknown(wanted) || wanted.trigger !== prior.restore?.trigger;
  if (prior.restore !== null && isOther && isImported(privateData)) {
    warn(
      context,
      `${name} is not put back to a snapshot yet`,
      "It was imported: the first apply only notes the trigger. Change the trigger afterwards to put the volume back.",
    );
  } else if (isUnknown(wanted)) {
    return;
  } else if (prior.restore === null) {
    warn(
      context,
      `${name} is not put back to a snapshot yet`,
      `restore is new: this apply only notes its trigger. Change the trigger afterwards to put the volume back.${await obstacleTo(context, backend, prior, wanted)}`,
    );
  } else if (prior.restore.snapshot_id !== wanted.snapshot_id) {
    warn(
      context,
      `${name} is not put back to another snapshot`,
      "restore has another snapshot_id, but the same trigger: nothing is put back until the trigger changes as well.",
    );
  }
}

/** What stands against it already, as another sentence; what passes by itself does not count. */
async function obstacleTo(
  context: HookContext,
  backend: Backend,
  prior: VolumeState,
  wanted: Exclude<VolumePlan["restore"], null>,
): Promise<string> {
  if (isUnknown(wanted) || isUnknown(wanted.snapshot_id)) return "";
  try {
    const uuid = snapshotOf(context, backend, wanted.snapshot_id);
    const listing = await backend.listing();
    const record = listing.volumes.get(parseObjectId(prior.id, "id").uuid);
    if (record !== undefined) requireRestorable(backend, record, uuid, listing);
    return "";
  } catch (error) {
    if (!isStorageError(error)) throw error;
    const isLasting = isStorageError(error, "InvalidInput", "NotSupported", "SnapshotNotFound");
    return isLasting ? ` As things are, that will be refused: ${error.reason}.` : "";
  }
}

/** A snapshot is as large as its volume was: growing comes afterwards. */
function refuseGrowth(prior: VolumeState, { size_bytes: sizeBytes }: VolumePlan): void {
  if (isUnknown(sizeBytes) || sizeBytes === prior.size_bytes) return;
  throw new StorageError({
    kind: "InvalidInput",
    action: `put volume "${prior.name}" back to a snapshot and grow it at once`,
    reason: "It can be put back only while it is as large as when the snapshot was taken",
    nextStep: `Write size = ${prior.size}, apply, and then the other size`,
    attribute: ["size"],
  });
}

function warn(context: HookContext, what: string, detail: string): void {
  context.warn({ summary: what.replace(/^v/, "V"), detail, path: ["restore"] });
}

const units = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

/** How long ago that is, in its largest unit. */
function ageOf(time: string): string {
  const seconds = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
  const [unit, length] = units.find(([, least]) => seconds >= least) ?? ["second", 1];
  const count = Math.floor(seconds / length);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
