import { type ExistingVolume, type ManageableVolume, StorageError } from "../../contract/index.ts";

/** For what the storage does not know the age of. */
export const unknownTime = new Date(0).toISOString();

/** A time in seconds since 1970, as tools print it; those that do not know print 0, a dash or nothing. */
export function timeOf(seconds: string): string {
  const value = Number(seconds);
  return Number.isFinite(value) && value > 0 ? new Date(Math.floor(value * 1000)).toISOString() : unknownTime;
}

/** OpenStack Cinder's drivers name what they make so, and look it up by its name alone. */
function isCinderName(name: string): boolean {
  return /^(?:volume|_?snapshot|clone-snap|tmp-snap)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(name);
}

/** Proxmox VE names guests' disks so, the bases of linked clones and saved states, and looks them up by name. */
function isProxmoxName(name: string): boolean {
  return /^(?:vm|base|snap_vm)-\d+-/.test(name);
}

/** Whose names these are, as the end of a sentence; undefined for a name of nobody's. */
export function namedByTool(name: string): string | undefined {
  if (isCinderName(name)) return "is named as OpenStack Cinder names what it manages";
  return isProxmoxName(name) ? "is named as Proxmox VE names what it manages" : undefined;
}

/**
 * What is to be managed, as a listing made under the lock has it.
 *
 * @throws StorageError when it is not there any more, another one, of another size, or not safe to manage
 */
export function requireManageable(
  listed: readonly ManageableVolume[],
  volume: ExistingVolume,
  reference: string,
  action: string,
): ManageableVolume {
  const found = listed.find((candidate) => candidate.reference === reference);
  if (found?.id !== volume.id) {
    throw new StorageError({
      kind: "VolumeNotFound",
      action,
      reason:
        found === undefined
          ? "there is no such volume any more"
          : "another volume stands in the place of the one that was looked at",
      nextStep: "Refresh, and import what is there now. Nothing was touched.",
    });
  }
  if (found.reason_not_safe !== null) {
    throw new StorageError({
      kind: "VolumeIsBusy",
      action,
      reason: `it ${found.reason_not_safe}`,
      nextStep: "Nothing was touched. Change that first, and run again.",
    });
  }
  if (found.sizeBytes !== volume.sizeBytes || found.provisioning !== volume.provisioning) {
    throw new StorageError({
      kind: "VolumeBackendError",
      action,
      reason:
        `it is ${found.provisioning} and has ${found.sizeBytes} bytes now, ` +
        `and was ${volume.provisioning} with ${volume.sizeBytes} bytes when it was planned`,
      nextStep: "Plan again, with what is there now. Nothing was touched.",
    });
  }
  return found;
}

/** There is nobody to give back to what breezeblock made itself. */
export function refuseOwnMake(
  adoptedFrom: string | undefined,
  action: string,
): asserts adoptedFrom is string {
  if (adoptedFrom !== undefined) return;
  throw new StorageError({
    kind: "NotSupported",
    action,
    reason: "breezeblock made it, so there is nothing that it was found as",
  });
}
