import type { OperationContext } from "./driver.ts";
import type { StorageProtocol } from "./stats.ts";
import type { ConnectionCredentials, ConnectionInfo } from "./target.ts";
import type { Connector } from "./volume.ts";

/** A volume as its consumer wants it. */
export interface DeviceRequest {
  readonly volumeId: string;
  readonly connection: ConnectionInfo;
  readonly credentials: ConnectionCredentials | null;
  /** Several portals are logged in to, and one device stands for all paths. */
  readonly multipath: boolean;
  /** What the device must show at least. */
  readonly sizeBytes: number;
}

/** A volume's device as a consumer has it now. */
export interface ConsumerDevice {
  readonly volumeId: string;
  /** A stable path below `/dev/disk/by-id/`, of the multipath device where there is one. */
  readonly path: string;
  /** The kernel's own path, as it stands in mount tables: `/dev/sda`, `/dev/nvme0n1`, `/dev/dm-3`. */
  readonly kernelPath: string;
  readonly sizeBytes: number;
  /** Portals (`address:port`) with a live session or controller. */
  readonly portals: readonly string[];
  readonly multipath: boolean;
}

/** What a consumer has of a volume: sessions, and the device where there is a proven one. */
export interface ConsumerConnection {
  readonly volumeId: string;
  /** `null` where sessions are there but no device, or none that proves to be the volume. */
  readonly device: ConsumerDevice | null;
  /** What keeps it from being whole, in words; `null` when nothing does. */
  readonly fault: string | null;
}

/**
 * The consumer side of one protocol: logging in, finding the device, and the way back. Executors are the consumer's,
 * and hold its lock for every call that changes something. What breezeblock did not make is never touched.
 */
export interface ConnectorDriver {
  readonly protocol: StorageProtocol;
  /** Proves the tools usable and reads what this consumer calls itself, with one command. Throws `InvalidConnector`. */
  connectorProperties(context: OperationContext): Promise<Connector>;
  /** Everything that this consumer has of volumes of ours, by volume id, with one command. */
  connections(context: OperationContext): Promise<ReadonlyMap<string, ConsumerConnection>>;
  /**
   * Logs in where there is no live session, cleans stale ones of this volume, and returns the device once its serial is
   * proven and its size is what was asked for. Idempotent; also comes back by itself when the consumer reboots.
   */
  connectVolume(request: DeviceRequest, context: OperationContext): Promise<ConsumerDevice>;
  /** Rescans until the device, and the multipath device above it, shows `request.sizeBytes`. */
  extendVolume(request: DeviceRequest, context: OperationContext): Promise<ConsumerDevice>;
  /**
   * Flushes, removes the device and logs out. Already gone is success, also when the storage side is gone.
   *
   * @throws StorageError `VolumeIsBusy` naming what uses the device; then nothing was changed
   */
  disconnectVolume(volumeId: string, context: OperationContext): Promise<void>;
}
