import type { LockedContext } from "./driver.ts";
import type { StorageProtocol } from "./stats.ts";
import type { AccessMode, Connector, JsonValue, VolumeRecord } from "./volume.ts";

/** How a consumer reaches a volume (CON-2); plain JSON, no secrets. */
export interface ConnectionInfo {
  readonly driver_volume_type: StorageProtocol;
  readonly data: { readonly [key: string]: JsonValue };
  /** CON-3. Pairs kept for this initiator and handed back next time. */
  readonly initiator_updates?: {
    readonly set_values?: Readonly<Record<string, string>>;
    readonly remove_values?: readonly string[];
  };
}

/** The storage side of a connection: export and access, apart from allocation (EXP-1, CON-1 to CON-5). */
export interface TargetDriver {
  readonly protocol: StorageProtocol;
  /** CON-1. Throws `InvalidConnector` naming what is missing; no I/O. */
  validateConnector(connector: Connector): void;
  /** EXP-1. */
  createExport(volume: VolumeRecord, context: LockedContext): Promise<void>;
  ensureExport(volume: VolumeRecord, context: LockedContext): Promise<void>;
  removeExport(volume: VolumeRecord, context: LockedContext): Promise<void>;
  /** CON-2, CON-3. */
  initializeConnection(
    volume: VolumeRecord,
    connector: Connector,
    mode: AccessMode,
    context: LockedContext,
    initiatorData?: Readonly<Record<string, string>>,
  ): Promise<ConnectionInfo>;
  /** CON-4; CON-5 with `null`. */
  terminateConnection(
    volume: VolumeRecord,
    connector: Connector | null,
    context: LockedContext,
  ): Promise<void>;
}
