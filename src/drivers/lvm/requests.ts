import { type NewSnapshot, type NewVolume, type Provisioning, StorageError } from "../../contract/index.ts";
import type { Listing } from "./listing.ts";
import { isId } from "./names.ts";
import { defectOf, isExhausted, isThinPool, type LogicalVolume, type VolumeGroup } from "./report.ts";

/** What can be wrong with a request, and what a volume group must have left for it. None does I/O. */

/** A thin pool this full of data, or of metadata, takes nothing new: when it is full, its volumes fail. */
export const fullPool = { dataPercent: 95, metadataPercent: 90 } as const;

/** LVM's metadata area keeps this much free for changes and for other people's volumes. */
const metadataReserveBytes = 16 * 1024;
/** LVM's own description of one logical volume with one segment: some 400 bytes, and some for a long host name. */
const volumeDescriptionBytes = 600;
/** What LVM writes around each tag. */
const tagFrameBytes = 4;

/** Space of a copy-on-write snapshot: this part of its volume, but not less than it takes to be of any use. */
const cowSpace = { percent: 20, leastBytes: 64 * 1024 ** 2 } as const;

export function checkNew(object: NewVolume | NewSnapshot, action: string): void {
  if (!isId(object.id)) {
    throw new StorageError({
      kind: "InvalidInput",
      action,
      reason: `${JSON.stringify(object.id)} is not a UUID in lower case`,
    });
  }
  if ("sizeBytes" in object) checkSize(object.sizeBytes, action);
}

export function checkSize(sizeBytes: number, action: string): void {
  if (Number.isSafeInteger(sizeBytes) && sizeBytes > 0) return;
  throw new StorageError({
    kind: "InvalidInput",
    action,
    reason: `${sizeBytes} is not a size in bytes`,
    attribute: ["size"],
  });
}

/** LVM allocates whole extents. */
export function roundedUp(sizeBytes: number, extentBytes: number): number {
  return Math.ceil(sizeBytes / extentBytes) * extentBytes;
}

/** The pool that a new volume goes to: the thin pool, or the volume group itself for thick ones. */
export function poolFor(
  { pool, provisioning }: Pick<NewVolume, "pool" | "provisioning">,
  volumeGroup: string,
  thinPool: string | null,
  action: string,
): string {
  const pools: Readonly<Partial<Record<Provisioning, string>>> = {
    thick: volumeGroup,
    ...(thinPool === null ? {} : { thin: thinPool }),
  };
  const fitting = pools[provisioning];
  if (fitting === undefined) {
    throw new StorageError({
      kind: "NotSupported",
      action,
      reason: "the backend names no thin pool, so its volumes are thick",
      nextStep: 'Use provisioning = "thick", or give the backend a thin_pool.',
      attribute: ["provisioning"],
    });
  }
  if (pool === null || pool === fitting) return fitting;
  const names = Object.entries(pools).map(([kind, name]) => `${JSON.stringify(name)} for ${kind} volumes`);
  throw new StorageError({
    kind: "InvalidInput",
    action,
    reason: `a ${provisioning} volume cannot be made in a pool ${JSON.stringify(pool)}; there is ${names.join(" and ")}`,
    attribute: ["backend"],
  });
}

/** Refuses when LVM's metadata area could not hold one more logical volume with these tags. */
export function requireMetadataRoom(listing: Listing, tags: readonly string[], action: string): void {
  const { group } = listing;
  const needed = tags.reduce((sum, tag) => sum + tag.length + tagFrameBytes, volumeDescriptionBytes);
  const left = group.metadataFreeBytes - listing.metadataTaken.bytes;
  if (left >= needed + metadataReserveBytes) {
    listing.metadataTaken.bytes += needed;
    return;
  }
  throw new StorageError({
    kind: "VolumeBackendError",
    action,
    reason:
      `LVM's metadata area of the volume group ${group.name} is full: ${left} of ${group.metadataBytes} bytes are free, ` +
      `${metadataReserveBytes} of them are kept for changes, and this volume takes ${needed}`,
    nextStep:
      "Add a disk with a larger metadata area and let LVM use only that one: " +
      `pvcreate --metadatasize 64m DISK; vgextend ${group.name} DISK; pvchange --metadataignore y OTHER_DISKS.`,
  });
}

/** The thin pool of that name, whatever state it is in. */
export function findPool(group: VolumeGroup, name: string, action: string): LogicalVolume {
  const pool = group.logicalVolumes.get(name);
  const place = `${group.name}/${name}`;
  if (pool === undefined || !isThinPool(pool)) {
    throw new StorageError({
      kind: "VolumeBackendError",
      action,
      reason: `${place} is ${pool === undefined ? "not there" : "not a thin pool"}`,
      nextStep: "Name an existing thin pool as thin_pool, or make one with lvcreate --type thin-pool.",
    });
  }
  return pool;
}

/** The thin pool of that name, where it can be used. */
export function requirePool(group: VolumeGroup, name: string, action: string): LogicalVolume {
  const pool = findPool(group, name, action);
  const defect = defectOf(pool);
  if (defect === undefined) return pool;
  const place = `${group.name}/${name}`;
  throw new StorageError({
    kind: "VolumeBackendError",
    action,
    reason: `the thin pool ${place} cannot be used: ${defect}`,
    nextStep: isExhausted(pool)
      ? `Extend it (lvextend -L +SIZE ${place}, lvextend --poolmetadatasize +SIZE ${place}), or delete what is not needed.`
      : "See lvmthin(7) on repairing thin pools.",
  });
}

/** Refuses when the thin pool cannot be used, or is nearly full. */
export function requirePoolRoom({ group }: Listing, name: string, action: string): void {
  const pool = requirePool(group, name, action);
  const place = `${group.name}/${name}`;
  const { dataPercent, metadataPercent } = pool;
  const grow = `lvextend -L +SIZE ${place}`;
  const growMetadata = `lvextend --poolmetadatasize +SIZE ${place}`;
  refuseFull(place, "data", dataPercent, fullPool.dataPercent, grow, action);
  refuseFull(place, "metadata", metadataPercent, fullPool.metadataPercent, growMetadata, action);
}

function refuseFull(
  place: string,
  what: string,
  percent: number | null,
  limit: number,
  command: string,
  action: string,
): void {
  if (percent === null || percent < limit) return;
  throw new StorageError({
    kind: "VolumeBackendError",
    action,
    reason: `the ${what} of the thin pool ${place} is ${percent} % full, and nothing new is made from ${limit} % on`,
    nextStep: `Extend it (${command}), or delete what is not needed.`,
  });
}

/** In extents. LVM itself takes less where a whole copy of the origin needs less. */
export function cowExtents(
  originBytes: number,
  extentBytes: number,
  percent: number = cowSpace.percent,
): number {
  return Math.ceil(Math.max(cowSpace.leastBytes, (originBytes * percent) / 100) / extentBytes);
}
