import type { GrantedAttachment } from "../../src/backend/index.ts";
import type { Connector, VolumeRecord } from "../../src/contract/index.ts";
import type { Device } from "./device.ts";
import type { Session } from "./session.ts";

/** A machine that uses volumes. */
export interface Consumer {
  readonly name: string;
  connector(): Promise<Connector>;
  /** The same without what the protocol needs (CON-1). */
  readonly incompleteConnector: Connector;
  /** Opens a volume that is attached nowhere; only where the data is on this machine itself. */
  readonly open?: (volume: VolumeRecord) => Device;
  /** Opens the device of a volume that this consumer was granted access to. */
  connect(session: Session, granted: GrantedAttachment): Promise<Device>;
  /** Makes the device show `sizeBytes`, after its volume has grown. */
  rescan(session: Session, granted: GrantedAttachment, sizeBytes: number): Promise<void>;
  /** Lets go of the device. Already gone is fine. */
  disconnect(volumeId: string): Promise<void>;
}
