import { derivedId } from "../shared/derived-id.ts";

/** Records of long work. Below `/var/lib`, so that it is still known after a reboot. */
export const jobsDirectory = "/var/lib/breezeblock/jobs";

/** Images, each for as long as a volume is filled from it: below the UUID of the volume group, by the volume's id. */
export const imagesDirectory = "/var/lib/breezeblock/images";

/** Images that are kept for volumes to come, each volume group's in a directory of its UUID. */
export const imageCacheDirectory = "/var/lib/breezeblock/image-cache";

/** A logical volume of ours: an object itself, or what one needs for a while. */
export type Role =
  /** A volume or a snapshot. */
  | "object"
  /** Space that is cleared before a thick volume grows onto it. */
  | "extension"
  /** A snapshot of the source that a copy is made from. */
  | "source"
  /** A volume put back to a snapshot, until it takes the name of the one that it replaces. */
  | "restored";

const uuid = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const uuidPattern = new RegExp(`^${uuid}$`);
const namePattern = new RegExp(`^bb-(${uuid})(?:\\.(extension|source|restored))?$`);

/** Lower-case UUIDs only: an id becomes part of a logical volume's name. */
export function isId(text: string): boolean {
  return uuidPattern.test(text);
}

export function logicalVolumeName(id: string, role: Role = "object"): string {
  return role === "object" ? `bb-${id}` : `bb-${id}.${role}`;
}

/** The id of a logical volume that others made: of LVM's own UUIDs, so that neither a name nor a rename matters. */
export function adoptedId(volumeGroupUuid: string, logicalVolumeUuid: string): string {
  return derivedId("lvm", volumeGroupUuid, logicalVolumeUuid);
}

/** Takes a logical volume's name apart; `undefined` for what cannot be one of ours. */
export function parseLogicalVolumeName(
  name: string,
): { readonly id: string; readonly role: Role } | undefined {
  const [, id, role] = namePattern.exec(name) ?? [];
  return id === undefined ? undefined : { id, role: (role as Role | undefined) ?? "object" };
}

/** Characters that LVM takes in names of volume groups and logical volumes. */
export function isLvmName(text: string): boolean {
  return /^[A-Za-z0-9_+.][A-Za-z0-9_+.-]{0,126}$/.test(text) && text !== "." && text !== "..";
}

/** In `/run`, which only root can write to, and which is empty after a reboot. */
export function lockFileOf(volumeGroup: string): string {
  return `/run/breezeblock-lvm-${volumeGroup}.lock`;
}

export function devicePath(volumeGroup: string, logicalVolume: string): string {
  return `/dev/${volumeGroup}/${logicalVolume}`;
}

/** What the device mapper calls the device of a logical volume. */
export function deviceMapperUuid(volumeGroupUuid: string, logicalVolumeUuid: string): string {
  return `LVM-${`${volumeGroupUuid}${logicalVolumeUuid}`.replaceAll("-", "")}`;
}

/** The same device as udev links it by its UUIDs: it means this logical volume, whatever any is called, or nothing. */
export function devicePathByUuid(volumeGroupUuid: string, logicalVolumeUuid: string): string {
  return `/dev/disk/by-id/dm-uuid-${deviceMapperUuid(volumeGroupUuid, logicalVolumeUuid)}`;
}

/** LVM's UUIDs, as its reports have them, from the 32 characters that the device mapper keeps. */
export function lvmUuid(compact: string): string {
  return [6, 4, 4, 4, 4, 4, 6]
    .reduce<{ readonly parts: readonly string[]; readonly at: number }>(
      ({ parts, at }, length) => ({ parts: [...parts, compact.slice(at, at + length)], at: at + length }),
      { parts: [], at: 0 },
    )
    .parts.join("-");
}

/** Whether a path is the one by UUIDs of the adopted logical volume that has this id. */
export function isDeviceOfAdopted(path: string, id: string): boolean {
  const [, group, volume] = /^\/dev\/disk\/by-id\/dm-uuid-LVM-(\w{32})(\w{32})$/.exec(path) ?? [];
  return group !== undefined && volume !== undefined && adoptedId(lvmUuid(group), lvmUuid(volume)) === id;
}
