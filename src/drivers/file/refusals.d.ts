import {
  type Attachment,
  type Inventory,
  type ObjectRecord,
  type SnapshotRecord,
  type VolumeRecord,
} from "../../contract/index.ts";
/**
 * The rules by which the driver refuses, each from a listing made under the lock. All return when there is nothing to
 * refuse, and throw a `StorageError` otherwise; none does I/O.
 */
/** What stands under `id`, whole. Throws when it is damaged, absent (`undefined`) or another owner's. */
export declare function ownRecord<R extends ObjectRecord>(
  records: ReadonlyMap<string, R>,
  fresh: Inventory,
  id: string,
  owner: string,
  action: string,
): R | undefined;
/** A create is repeated with the same intent, or it is another object's. */
export declare function refuseDifferent(same: boolean, action: string): void;
/** An object that is not ready can only be finished or deleted. */
export declare function refuseUnfinished(
  record: ObjectRecord,
  kind: "volume" | "snapshot",
  action: string,
): void;
/** DEL-3. Protection is for data: what was never finished holds none. */
export declare function refuseProtected(record: ObjectRecord, action: string): void;
/** DEL-2. */
export declare function refuseInUse(volume: VolumeRecord, fresh: Inventory, action: string): void;
/** A copy that is under way reads the volume without the lock. */
export declare function refuseCopied(volume: VolumeRecord, fresh: Inventory, action: string): void;
/** SNP-2. */
export declare function refuseSnapshotInUse(snapshot: SnapshotRecord, fresh: Inventory, action: string): void;
/** ATT-1. */
export declare function refuseSecondAttachment(others: readonly Attachment[], action: string): void;
export declare function describe(
  kind: "volume" | "snapshot",
  record: Pick<ObjectRecord, "name" | "id">,
): string;
export declare function describeAttachment(attachment: Attachment): string;
