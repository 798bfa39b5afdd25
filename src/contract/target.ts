import type { LockedContext, OperationContext } from "./driver.ts";
import type { StorageProtocol } from "./stats.ts";
import type { AccessMode, Connector, JsonValue, VolumeRecord } from "./volume.ts";

/**
 * How a consumer reaches a volume (CON-2); plain JSON, no secrets. The same every time for the same volume, connector
 * and settings.
 */
export interface ConnectionInfo {
  readonly driver_volume_type: StorageProtocol;
  readonly data: { readonly [key: string]: JsonValue };
  /** CON-3. Pairs kept for this initiator and handed back next time. */
  readonly initiator_updates?: {
    readonly set_values?: Readonly<Record<string, string>>;
    readonly remove_values?: readonly string[];
  };
}

/** `data` of an iSCSI connection; names are Cinder's where it has one. */
export interface IscsiConnectionData {
  readonly target_iqn: string;
  /** `address:port`, IPv6 in brackets; at least one. */
  readonly target_portals: readonly string[];
  readonly target_lun: number;
  readonly auth_method: "CHAP" | "None";
  readonly volume_id: string;
  /** The unit serial number that the device must show (VPD page 0x80) before it is used. */
  readonly serial: string;
  /** Below `/dev/disk/by-id/`, without partitions: the name of a single path's device, as udev makes it. */
  readonly by_id: string;
  readonly access_mode: AccessMode;
}

/** `data` of an NVMe/TCP connection. */
export interface NvmeConnectionData {
  readonly target_nqn: string;
  /** `address:port`, IPv6 in brackets; at least one. */
  readonly target_portals: readonly string[];
  readonly volume_id: string;
  /** The namespace UUID that the device must show before it is used. */
  readonly uuid: string;
  /** Below `/dev/disk/by-id/`, as udev makes it. */
  readonly by_id: string;
  readonly access_mode: AccessMode;
}

/** What a consumer logs in with. Secret: never in a state, a log, an error or an argv. */
export interface ConnectionCredentials {
  readonly username: string;
  readonly password: string;
}

/** What an export is removed by; the record of a volume that vanished may have nothing else left. */
export type ExportedVolume = Pick<VolumeRecord, "id" | "name" | "location" | "ownPath">;

/** One volume's export as it stands on the storage host. */
export interface ExportState {
  readonly volumeId: string;
  /** What a consumer that looks now would see; `null` where it cannot be told. */
  readonly sizeBytes: number | null;
  /** What keeps it from being whole, in words (`portal 10.0.0.5:3260 is missing`); `null` when nothing does. */
  readonly fault: string | null;
  /** Who has access: `initiatorOf` their connectors, with the mode of each. */
  readonly granted: ReadonlyMap<string, AccessMode>;
  /** Who of these is logged in, or connected; `null` where that cannot be told, and somebody may be. */
  readonly connected: ReadonlySet<string> | null;
  /** Whose volume it is, as the export's own record says; `null` where it was made before records said so. */
  readonly mark: ExportMark | null;
}

/** What tells whose an export is when its volume has vanished. */
export interface ExportMark {
  readonly owner: string;
  /** Of the backend that the volume is, or was, on. */
  readonly identity: string;
}

/**
 * The storage side of a connection: export and access, apart from allocation (EXP-1, CON-1 to CON-5). One target a
 * volume. What breezeblock did not make is never changed. All that is made survives a reboot of the storage host.
 */
export interface TargetDriver {
  readonly protocol: StorageProtocol;
  /** SET-2 for the storage side, with one command. Throws `VolumeBackendError` with the cause. */
  checkForSetupError(context: OperationContext): Promise<void>;
  /** CON-1. Throws `InvalidConnector` naming what is missing; no I/O. */
  validateConnector(connector: Connector): void;
  /** What a valid connector is known by on the storage side: its IQN, its NQN. No I/O. */
  initiatorOf(connector: Connector): string;
  /** Every export of ours, by volume id, with one command. Empty where nothing needs exporting. */
  exports(context: OperationContext): Promise<ReadonlyMap<string, ExportState>>;
  /** EXP-1. */
  createExport(volume: VolumeRecord, context: LockedContext): Promise<void>;
  /** EXP-1. Makes whole what is missing, and announces the volume's present size. */
  ensureExport(volume: VolumeRecord, context: LockedContext): Promise<void>;
  /** EXP-1. */
  removeExport(volume: ExportedVolume, context: LockedContext): Promise<void>;
  /** CON-2, CON-3. The export is made, or made whole, with it. */
  initializeConnection(
    volume: VolumeRecord,
    connector: Connector,
    mode: AccessMode,
    context: LockedContext,
    initiatorData?: Readonly<Record<string, string>>,
  ): Promise<ConnectionInfo>;
  /** What the connector that was granted access logs in with; `null` where nothing is needed. */
  credentials(
    volume: VolumeRecord,
    connector: Connector,
    context: OperationContext,
  ): Promise<ConnectionCredentials | null>;
  /** CON-4; CON-5 with `null`. */
  terminateConnection(
    volume: VolumeRecord,
    connector: Connector | null,
    context: LockedContext,
  ): Promise<void>;
}
