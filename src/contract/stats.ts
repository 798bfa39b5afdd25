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
}

/** What a backend says of itself (STA-1). */
export interface VolumeStats extends Omit<PoolStats, "pool_name"> {
  readonly volume_backend_name: string;
  readonly vendor_name: string;
  readonly driver_version: string;
  readonly storage_protocol: StorageProtocol;
  readonly pools?: readonly PoolStats[];
}
