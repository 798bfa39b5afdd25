import type { ObjectRecord, SnapshotRecord, VolumeRecord } from "../../contract/index.ts";
import type { FileFormat, ObjectKind } from "./layout.ts";
/** The version that this code writes. A higher one has changed what fields mean, and is not touched. */
export declare const sidecarVersion = 1;
interface CommonFields extends Omit<ObjectRecord, "sizeBytes"> {
  readonly format: FileFormat;
  /** What was asked for when the object was made; afterwards the data itself says how large it is. */
  readonly createdSizeBytes: number;
}
export type VolumeFields = CommonFields &
  Pick<VolumeRecord, "provisioning" | "multiattach" | "source" | "attachments">;
export type SnapshotFields = CommonFields & Pick<SnapshotRecord, "volumeId">;
/** An object's metadata file: all of its record but what its data and place say. */
export type Sidecar = (
  | {
      readonly kind: "volume";
      readonly fields: VolumeFields;
    }
  | {
      readonly kind: "snapshot";
      readonly fields: SnapshotFields;
    }
) & {
  /** Fields of a later version; kept as they are. */
  readonly unknown: Readonly<Record<string, unknown>>;
};
export type VolumeSidecar = Extract<
  Sidecar,
  {
    kind: "volume";
  }
>;
export type SnapshotSidecar = Extract<
  Sidecar,
  {
    kind: "snapshot";
  }
>;
/** One line of JSON in pure ASCII, without the newline: no locale, terminal or line reader can change it. */
export declare function formatSidecar(sidecar: Sidecar): string;
/** Strict: throws an `Error` that says what is wrong with the file. */
export declare function parseSidecar(bytes: Buffer, kind: ObjectKind, id: string): Sidecar;
