/** What the first bytes of a qcow2 file say (QEMU, docs/interop/qcow2.rst, "Header"). */
export interface Qcow2Header {
  readonly virtualSizeBytes: number;
  /** False when its content lies partly in other files: a backing file or an external data file. */
  readonly flat: boolean;
}
/** So many bytes of a file are needed; version 2 files have fewer than that in their header, never in the file. */
export declare const qcow2HeaderBytes = 80;
/** Throws an `Error` that says what is wrong with the bytes. */
export declare function parseQcow2Header(bytes: Buffer): Qcow2Header;
