import { bytesPerGib, type DriverStats, type PoolStats } from "../../contract/index.ts";
import { isThinPool, isThinVolume, type LogicalVolume, type VolumeGroup } from "./report.ts";
import { isHelper, isOurs } from "./tags.ts";

/** STA-1: the volume group, with a pool for thick volumes, which is the group itself, and one for the thin pool. */
export function statsOf(
  group: VolumeGroup,
  thinPool: string | null,
): Omit<DriverStats, "driver_version" | "location_info"> {
  const volumes = [...group.logicalVolumes.values()];
  const thin = volumes.find((volume) => volume.name === thinPool && isThinPool(volume));
  const thick = thickPool(group, volumes);
  const pools = thin === undefined ? [thick] : [thick, thinPoolStats(thin, volumes)];
  return {
    vendor_name: "breezeblock",
    total_capacity_gb: thick.total_capacity_gb,
    free_capacity_gb: thick.free_capacity_gb,
    total_volumes: pools.reduce((sum, { total_volumes = 0 }) => sum + total_volumes, 0),
    thin_provisioning_support: thin !== undefined,
    thick_provisioning_support: true,
    sparse_copy_volume: false,
    QoS_support: false,
    pools,
  };
}

function thickPool(group: VolumeGroup, volumes: readonly LogicalVolume[]): PoolStats {
  return {
    pool_name: group.name,
    total_capacity_gb: gib(group.sizeBytes),
    free_capacity_gb: gib(group.freeBytes),
    // Whatever has been given to anybody: other people's volumes, thin pools, snapshots, LVM's own spares.
    provisioned_capacity_gb: gib(group.sizeBytes - group.freeBytes),
    thin_provisioning_support: false,
    thick_provisioning_support: true,
    total_volumes: volumes.filter((volume) => isOurObject(volume) && !isThinVolume(volume)).length,
  };
}

function thinPoolStats(pool: LogicalVolume, volumes: readonly LogicalVolume[]): PoolStats {
  const inside = volumes.filter((volume) => isThinVolume(volume) && volume.pool === pool.name);
  const used = pool.dataPercent === null ? undefined : (pool.sizeBytes * pool.dataPercent) / 100;
  return {
    pool_name: pool.name,
    total_capacity_gb: gib(pool.sizeBytes),
    free_capacity_gb: used === undefined ? "unknown" : gib(pool.sizeBytes - used),
    provisioned_capacity_gb: gib(inside.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)),
    thin_provisioning_support: true,
    thick_provisioning_support: false,
    sparse_copy_volume: true,
    total_volumes: inside.filter(isOurObject).length,
    ...(pool.dataPercent === null ? {} : { data_percent: pool.dataPercent }),
    ...(pool.metadataPercent === null ? {} : { metadata_percent: pool.metadataPercent }),
  };
}

function isOurObject({ tags }: LogicalVolume): boolean {
  return tags.some(isOurs) && !isHelper(tags);
}

function gib(bytes: number): number {
  return bytes / bytesPerGib;
}
