/** What a wire protocol is called in stats and in connection information. */
export type StorageProtocol = "local" | "iSCSI" | "nvmet_tcp" | "nbd" | "nfs" | "ceph";

/** A capacity in GiB. */
export type Capacity = number | "unknown" | "infinite";

/** Capacity and abilities of one pool. Field names are Cinder's. */
export interface PoolStats {
  readonly pool_name: string;
  readonly total_capacity_gb: Capacity;
  readonly free_capacity_gb: Capacity;
  readonly reserved_percentage?: number;
  /** What all volumes could grow to together, other people's included, in GiB. */
  readonly provisioned_capacity_gb?: number;
  readonly max_over_subscription_ratio?: number | "auto";
  readonly thin_provisioning_support?: boolean;
  readonly thick_provisioning_support?: boolean;
  readonly total_volumes?: number;
  readonly filter_function?: string;
  readonly goodness_function?: string;
  readonly multiattach?: boolean;
  readonly sparse_copy_volume?: boolean;
  readonly online_extend_support?: boolean;
  readonly QoS_support?: boolean;
  readonly location_info?: string;
  /** Where it is, as the configuration says. Part of a service in Cinder, not of its stats. */
  readonly availability_zone?: string;
  /** Any further capabilities, as the configuration names them. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Used part of a thin pool's data space, 0 to 100. Not one of Cinder's. */
  readonly data_percent?: number;
  /** Used part of a thin pool's metadata space, 0 to 100: a pool without any left fails. Not one of Cinder's. */
  readonly metadata_percent?: number;
}

/** The fields of stats: what no label can be called, as both are capabilities. */
export const statNames = [
  "allocated_capacity_gb",
  "availability_zone",
  "data_percent",
  "driver_version",
  "filter_function",
  "free_capacity_gb",
  "goodness_function",
  "labels",
  "location_info",
  "max_over_subscription_ratio",
  "metadata_percent",
  "multiattach",
  "online_extend_support",
  "pool_name",
  "pools",
  "provisioned_capacity_gb",
  "QoS_support",
  "reserved_percentage",
  "sparse_copy_volume",
  "storage_protocol",
  "thick_provisioning_support",
  "thin_provisioning_support",
  "total_capacity_gb",
  "total_volumes",
  "vendor_name",
  "volume_backend_name",
] as const;

/** What a backend says of itself (STA-1). */
export interface VolumeStats extends Omit<PoolStats, "pool_name"> {
  readonly volume_backend_name: string;
  readonly vendor_name: string;
  readonly driver_version: string;
  readonly storage_protocol: StorageProtocol;
  readonly pools?: readonly PoolStats[];
}
