/** What the first bytes of a qcow2 file say (QEMU, docs/interop/qcow2.rst, "Header"). */
export interface Qcow2Header {
  readonly virtualSizeBytes: number;
  /** False when its content lies partly in other files: a backing file or an external data file. */
  readonly flat: boolean;
}

/** So many bytes of a file are needed; version 2 files have fewer than that in their header, never in the file. */
export const qcow2HeaderBytes = 80;

const externalDataFile = 1n << 2n;

/** Throws an `Error` that says what is wrong with the bytes. */
export function parseQcow2Header(bytes: Buffer): Qcow2Header {
  if (bytes.length < qcow2HeaderBytes || bytes.toString("latin1", 0, 4) !== "QFI\xfb") {
    throw new Error("has no qcow2 header");
  }
  const version = bytes.readUInt32BE(4);
  if (version !== 2 && version !== 3) throw new Error(`is of qcow2 version ${version}, which is not known`);
  const size = bytes.readBigUInt64BE(24);
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error(`has an impossible qcow2 size: ${size} bytes`);
  const incompatible = version === 3 ? bytes.readBigUInt64BE(72) : 0n;
  return {
    virtualSizeBytes: Number(size),
    flat: bytes.readBigUInt64BE(8) === 0n && (incompatible & externalDataFile) === 0n,
  };
}
