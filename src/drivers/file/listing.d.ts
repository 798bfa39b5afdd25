import { type Inventory, type SnapshotRecord, type VolumeRecord } from "../../contract/index.ts";
import { type FileFormat, type ObjectKind, type ObjectName } from "./layout.ts";
import { type Sidecar } from "./sidecar.ts";
/** The one pool of a directory. */
export declare const poolName = "default";
/** A metadata file that was read. */
export interface StoredSidecar {
  readonly sidecar: Sidecar;
  /** Its first line as it stands, to prove later that it still stands. */
  readonly line: string;
}
/** An inventory, and what the driver must know besides to change things. */
export interface Listing {
  readonly inventory: Inventory;
  /** Of every volume and snapshot of the inventory. */
  readonly sidecars: ReadonlyMap<ObjectName, StoredSidecar>;
  /** Metadata whose data is gone: not in the inventory, to be swept by a mutation of the same owner. */
  readonly stale: readonly {
    readonly object: ObjectName;
    readonly owner: string;
  }[];
  /** Paths below the directory that no reservation stands for; rubbish to whoever holds the lock. */
  readonly halfMade: readonly string[];
  /** Objects whose qcow2 file takes content from other files. */
  readonly notFlat: ReadonlySet<ObjectName>;
}
export interface DataFile {
  readonly object: ObjectName;
  readonly kind: ObjectKind;
  readonly id: string;
  readonly format: FileFormat;
  readonly regular: boolean;
  /** As the file system sees it; of a qcow2 file not what its user sees. */
  readonly fileBytes: number;
  readonly allocatedBytes: number;
}
/** Throws an `Error` saying what is wrong with the marker. */
export declare function parseMarker(text: string): string;
/**
 * Makes an inventory of what `listScript` printed. Throws an `Error` for a marker that cannot be understood: that is
 * neither "no identity" nor any identity.
 */
export declare function parseListing(stdout: Buffer, stderrBytes: Buffer, directory: string): Listing;
export declare function volumeRecord(
  sidecar: Extract<
    Sidecar,
    {
      kind: "volume";
    }
  >,
  sizeBytes: number,
  directory: string,
): VolumeRecord;
export declare function snapshotRecord(
  sidecar: Extract<
    Sidecar,
    {
      kind: "snapshot";
    }
  >,
  sizeBytes: number,
  directory: string,
): SnapshotRecord;
export interface Space {
  readonly totalGib: number;
  readonly freeGib: number;
  readonly provisionedGib: number;
  readonly volumes: number;
}
/** Makes numbers of what `statsScript` printed. */
export declare function parseSpace(stdout: Buffer): Space;
