import type { DamagedObject, Inventory, SnapshotRecord, VolumeRecord } from "../contract/index.ts";

/** The one inventory of a backend and run, kept right by our own writes. */
export class Listing implements Inventory {
  readonly identity: string | null;
  readonly volumes: Map<string, VolumeRecord>;
  readonly snapshots: Map<string, SnapshotRecord>;
  readonly damaged: ReadonlyMap<string, DamagedObject>;
  readonly unidentified: string | undefined;

  constructor(inventory: Inventory) {
    this.identity = inventory.identity;
    this.volumes = new Map(inventory.volumes);
    this.snapshots = new Map(inventory.snapshots);
    this.damaged = inventory.damaged;
    this.unidentified = inventory.unidentified;
  }

  keepVolume(record: VolumeRecord): VolumeRecord {
    this.volumes.set(record.id, record);
    return record;
  }

  keepSnapshot(record: SnapshotRecord): SnapshotRecord {
    this.snapshots.set(record.id, record);
    return record;
  }

  /** The volume that holds an attachment of that id. */
  volumeOfAttachment(attachmentId: string): VolumeRecord | undefined {
    for (const volume of this.volumes.values()) {
      if (volume.attachments.some(({ id }) => id === attachmentId)) return volume;
    }
    return undefined;
  }
}
