import type { DamagedObject, Inventory, SnapshotRecord, VolumeRecord } from "../../contract/index.ts";
import {
  adoptedId,
  devicePath,
  devicePathByUuid,
  logicalVolumeName,
  parseLogicalVolumeName,
} from "./names.ts";
import { defectOf, isCowSnapshot, isThinVolume, type LogicalVolume, type VolumeGroup } from "./report.ts";
import { adoptedTag, isHelper, isOurs, type Metadata, ownerTagOf, parseTags } from "./tags.ts";

/** A logical volume of ours, and what its tags say. */
export interface StoredObject<M extends Metadata = Metadata> {
  readonly volume: LogicalVolume;
  readonly metadata: M;
}

export type VolumeMetadata = Extract<Metadata, { kind: "volume" }>;
export type SnapshotMetadata = Extract<Metadata, { kind: "snapshot" }>;

/** Everything of ours in a volume group, and what the driver must know besides to change it. */
export interface Listing extends Inventory {
  readonly identity: string;
  readonly group: VolumeGroup;
  readonly volumes: Map<string, VolumeRecord>;
  readonly snapshots: Map<string, SnapshotRecord>;
  readonly damaged: Map<string, DamagedObject>;
  unidentified: string | undefined;
  /** Of every volume and snapshot, by id. */
  readonly stored: Map<string, StoredObject>;
  /** By how much changes since have filled LVM's metadata area, as far as can be told. */
  readonly metadataTaken: { bytes: number };
  /** What objects need for a while, by name. */
  readonly helpers: Map<string, LogicalVolume>;
  /** What volumes were before they were put back to a snapshot, by the volume's id; rubbish. */
  readonly replaced: Map<string, LogicalVolume>;
}

export function listingOf(group: VolumeGroup): Listing {
  const listing: Listing = {
    identity: group.uuid,
    group,
    volumes: new Map(),
    snapshots: new Map(),
    damaged: new Map(),
    unidentified: undefined,
    stored: new Map(),
    metadataTaken: { bytes: 0 },
    helpers: new Map(),
    replaced: new Map(),
  };
  for (const volume of group.logicalVolumes.values()) {
    if (volume.tags.some(isOurs)) enter(listing, volume);
  }
  for (const { volume, metadata } of listing.stored.values()) {
    if (metadata.kind === "volume") keepUsedSnapshot(listing, volume, metadata);
  }
  return listing;
}

function enter(listing: Listing, volume: LogicalVolume): void {
  if (isHelper(volume.tags)) {
    listing.helpers.set(volume.name, volume);
    return;
  }
  const place = `${listing.group.name}/${volume.name}`;
  try {
    const metadata = parseTags(volume.tags);
    const other = listing.stored.get(metadata.id);
    if (other !== undefined && isRestored({ volume, metadata }, other)) {
      listing.replaced.set(metadata.id, other.volume);
    } else if (other !== undefined && isRestored(other, { volume, metadata })) {
      listing.replaced.set(metadata.id, volume);
      return;
    } else if (other !== undefined) {
      damage(listing, metadata, `${place} and ${listing.group.name}/${other.volume.name} have the same id`);
      return;
    }
    const defect = defectOf(volume);
    if (defect !== undefined && !isCowSnapshot(volume)) {
      damage(listing, metadata, `the logical volume ${place} cannot be used: ${defect}`);
      return;
    }
    keep(listing, { volume, metadata });
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    const isAdopted = volume.tags.includes(adoptedTag);
    const named = isAdopted ? undefined : parseLogicalVolumeName(volume.name)?.id;
    // Adopted, and the tag that says so lost; or one of ours that was renamed, which no id can be told of.
    if (!isAdopted && named === undefined) {
      listing.unidentified ??= `the logical volume ${place} was renamed or adopted, and its breezeblock metadata ${words}`;
    }
    const id = named ?? adoptedId(listing.identity, volume.uuid);
    const kind = isCowSnapshot(volume) ? "snapshot" : "volume";
    damage(
      listing,
      { id, kind, owner: ownerTagOf(volume.tags) },
      `the breezeblock metadata in the tags of ${place} ${words}`,
    );
  }
}

/** Whether the one is what takes the place of the other, which is being put back to a snapshot. */
function isRestored(one: StoredObject, other: StoredObject): boolean {
  return (
    parseLogicalVolumeName(one.volume.name)?.role === "restored" &&
    [one, other].every(({ metadata }) => metadata.kind === "volume" && metadata.restoring !== undefined)
  );
}

/** A snapshot that was used up and is to be made again is not gone. */
function keepUsedSnapshot(listing: Listing, volume: LogicalVolume, metadata: VolumeMetadata): void {
  const { restoring, usedSnapshot } = metadata;
  if (restoring === undefined || usedSnapshot === undefined || listing.stored.has(restoring)) return;
  const { kind, unknown: _, intendedBytes: __, ...record } = parseTags(usedSnapshot.tags) as SnapshotMetadata;
  const location = devicePath(listing.group.name, logicalVolumeName(restoring));
  listing.snapshots.set(restoring, { ...record, sizeBytes: volume.sizeBytes, location });
}

function damage(listing: Listing, { id, kind, owner }: Omit<DamagedObject, "reason">, reason: string): void {
  listing.volumes.delete(id);
  listing.snapshots.delete(id);
  listing.damaged.set(id, { id, kind, owner, reason });
}

/** Enters what is there, or what a change has made of it. */
export function keep(listing: Listing, stored: StoredObject): void {
  const { metadata } = stored;
  listing.stored.set(metadata.id, stored);
  if (metadata.kind === "volume") listing.volumes.set(metadata.id, volumeRecord(listing, stored));
  else listing.snapshots.set(metadata.id, snapshotRecord(listing, stored));
}

/** Takes out what a change has removed. */
export function forget(listing: Listing, id: string): void {
  listing.volumes.delete(id);
  listing.snapshots.delete(id);
  listing.stored.delete(id);
}

function volumeRecord(listing: Listing, { volume, metadata }: StoredObject): VolumeRecord {
  const {
    kind,
    unknown: _,
    intendedBytes,
    adopted,
    isFilled: __,
    usedSnapshot: ___,
    ...record
  } = metadata as VolumeMetadata;
  const isThin = isThinVolume(volume);
  const growth = listing.group.logicalVolumes.get(logicalVolumeName(metadata.id, "extension"));
  return {
    ...record,
    sizeBytes: intendedBytes ?? volume.sizeBytes,
    pool: isThin ? volume.pool : listing.group.name,
    provisioning: isThin ? "thin" : "thick",
    location: devicePath(listing.group.name, volume.name),
    ...(adopted === true
      ? {
          adoptedFrom: `${listing.group.name}/${volume.name}`,
          ownPath: devicePathByUuid(listing.identity, volume.uuid),
        }
      : {}),
    ...(growth !== undefined && isHelper(growth.tags) ? { growthBytes: growth.sizeBytes } : {}),
  };
}

function snapshotRecord(listing: Listing, { volume, metadata }: StoredObject): SnapshotRecord {
  const { kind, unknown: _, intendedBytes: __, ...record } = metadata as SnapshotMetadata;
  const broken = isCowSnapshot(volume) ? defectOf(volume) : undefined;
  const origin = isCowSnapshot(volume) ? listing.group.logicalVolumes.get(volume.origin) : undefined;
  return {
    ...record,
    // The size of a copy-on-write snapshot's own logical volume is that of its space.
    sizeBytes: (origin ?? volume).sizeBytes,
    location: devicePath(listing.group.name, volume.name),
    ...(broken === undefined ? {} : { broken }),
  };
}

/** Other people's copy-on-write snapshots of a logical volume, as well as ours. */
export function cowSnapshotsOf(listing: Listing, { name }: LogicalVolume): readonly LogicalVolume[] {
  return [...listing.group.logicalVolumes.values()].filter(
    (other) => other.origin === name && isCowSnapshot(other),
  );
}

/** What an object needs for a while, where it is there. */
export function helperOf(
  listing: Listing,
  id: string,
  role: "extension" | "source",
): LogicalVolume | undefined {
  return listing.helpers.get(logicalVolumeName(id, role));
}
