import type { ManageableVolume, OperationContext } from "../../contract/index.ts";
import { namedByTool, timeOf } from "../shared/existing.ts";
import { cowSnapshotsOf, type Listing } from "./listing.ts";
import { adoptedId, devicePath, parseLogicalVolumeName } from "./names.ts";
import {
  defectOf,
  isCowSnapshot,
  isOpen,
  isReadOnly,
  isSuspended,
  isThinPool,
  isThinVolume,
  type LogicalVolume,
} from "./report.ts";
import { isOurs } from "./tags.ts";
import type { VolumeGroupOnHost } from "./volume-group.ts";

/** What others made in a volume group, with what stands against managing it. */
export async function listManageable(
  group: VolumeGroupOnHost,
  thinPool: string | null,
  context: OperationContext,
  listing: Listing,
): Promise<readonly ManageableVolume[]> {
  const others = [...listing.group.logicalVolumes.values()].filter(({ tags }) => !tags.some(isOurs));
  const nameOf = (volume: LogicalVolume) => `${group.name}/${volume.name}`;
  const users = await group.users(context, others.filter(isOpen).map(nameOf));
  return others.map((volume) => {
    const reason =
      hindrance(listing, volume, thinPool) ??
      (isOpen(volume) ? (users.get(nameOf(volume)) ?? "is in use: something has its device open") : null);
    return {
      reference: nameOf(volume),
      id: adoptedId(listing.identity, volume.uuid),
      sizeBytes: volume.sizeBytes,
      pool: isThinVolume(volume) ? volume.pool : group.name,
      provisioning: isThinVolume(volume) ? "thin" : "thick",
      location: devicePath(group.name, volume.name),
      createdAt: timeOf(volume.time),
      safe_to_manage: reason === null,
      reason_not_safe: reason,
    };
  });
}

/** Whoever keeps records of their own in tags: Ceph, Proxmox VE, oVirt. */
const toolTags: readonly (readonly [RegExp, string])[] = [
  [/^ceph\./, "Ceph"],
  [/^pve-/, "Proxmox VE"],
  [/^(?:MD|IU|PU)_/, "oVirt"],
];

/** By the first of lvs(8)'s letters; what is neither a linear nor a thin logical volume is of another kind. */
const kinds: Readonly<Record<string, string>> = {
  C: "cached",
  m: "a mirror",
  M: "a mirror",
  r: "a RAID",
  R: "a RAID",
  p: "being moved by pvmove",
  v: "virtual",
  d: "a VDO pool",
  D: "a part of a VDO pool",
  i: "a part of a mirror",
  I: "a part of a mirror",
  l: "the log of a mirror",
  T: "a part of a thin pool",
  e: "metadata of a pool, or its spare",
};

/** Why a logical volume is not to be managed, as far as LVM's report tells; undefined where nothing stands against it. */
function hindrance(listing: Listing, volume: LogicalVolume, thinPool: string | null): string | undefined {
  const { name, tags, layout } = volume;
  if (parseLogicalVolumeName(name) !== undefined) {
    return "has the name of a breezeblock volume, whose tags were removed";
  }
  const namedBy = namedByTool(name);
  if (namedBy !== undefined) return namedBy;
  for (const [pattern, tool] of toolTags) {
    const tag = tags.find((candidate) => pattern.test(candidate));
    if (tag !== undefined) return `has a tag of ${tool}'s: ${tag}`;
  }
  if (isThinPool(volume)) return "is a thin pool";
  if (isCowSnapshot(volume)) return `is a copy-on-write snapshot of ${listing.group.name}/${volume.origin}`;
  if (isThinVolume(volume) && listing.group.logicalVolumes.has(volume.origin)) {
    return `is a thin snapshot of ${listing.group.name}/${volume.origin}`;
  }
  const letter = volume.attributes[0] ?? "";
  const kind = kinds[letter];
  if (kind !== undefined) return `is ${kind}; only linear and thin logical volumes can be managed`;
  const defect = defectOf(volume);
  if (defect !== undefined) return `cannot be used: ${defect}`;
  const snapshots = [...cowSnapshotsOf(listing, volume), ...thinSnapshotsOf(listing, volume)];
  if (snapshots.length > 0) {
    return `has the snapshots ${snapshots.map((snapshot) => `${listing.group.name}/${snapshot.name}`).join(", ")}`;
  }
  if (!isThinVolume(volume) && layout !== "linear") {
    return `is ${layout === "" ? "of an unknown layout" : layout.replaceAll(",", " ")}; only linear and thin logical volumes can be managed`;
  }
  if (isReadOnly(volume)) return "is read-only";
  if (isSuspended(volume)) return "is suspended";
  if (isThinVolume(volume) && volume.pool !== thinPool) {
    return `is in the thin pool ${volume.pool}, and the backend ${thinPool === null ? "has none" : `uses ${thinPool}`}`;
  }
  return undefined;
}

function thinSnapshotsOf(listing: Listing, { name }: LogicalVolume): readonly LogicalVolume[] {
  return [...listing.group.logicalVolumes.values()].filter(
    (other) => other.origin === name && isThinVolume(other),
  );
}
