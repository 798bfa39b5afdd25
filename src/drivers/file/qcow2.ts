/** What the first bytes of a qcow2 file say (QEMU, docs/interop/qcow2.rst, "Header"). */
export interface Qcow2Header {
  readonly virtualSizeBytes: number;
  /** False when its content lies partly in other files: a backing file or an external data file. */
  readonly flat: boolean;
}

/** So many bytes of a file are needed; version 2 files have fewer than that in their header, never in the file. */
export const qcow2HeaderBytes = 80;

/** What a header says of other files stands in the first cluster, which is rarely larger than this. */
export const firstClusterBytes = 64 * 1024;

const externalDataFile = 1n << 2n;
const extensionOfDataFile = 0x44415441;
const headerBytesOfVersion2 = 72;

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

/** Another file that a qcow2 image takes content from. */
export interface Qcow2Reference {
  readonly use: "backing file" | "data file";
  /** As QEMU takes it: relative to the image's directory, or absolute. */
  readonly path: string;
}

/** The files that an image names, by the bytes of its first cluster. What is no file of a host is left out. */
export function qcow2References(bytes: Buffer): readonly Qcow2Reference[] {
  if (bytes.length < qcow2HeaderBytes || bytes.toString("latin1", 0, 4) !== "QFI\xfb") return [];
  const backing = Number(bytes.readBigUInt64BE(8));
  const backingName = backing === 0 ? "" : bytes.toString("utf8", backing, backing + bytes.readUInt32BE(16));
  return [
    ...pathsIn(backingName).map((path) => ({ use: "backing file", path }) as const),
    ...pathsIn(dataFileName(bytes, backing)).map((path) => ({ use: "data file", path }) as const),
  ];
}

function dataFileName(bytes: Buffer, backing: number): string {
  const isOfVersion3 = bytes.readUInt32BE(4) >= 3 && bytes.length >= 104;
  const end = backing === 0 ? bytes.length : Math.min(backing, bytes.length);
  for (let at = isOfVersion3 ? bytes.readUInt32BE(100) : headerBytesOfVersion2; at + 8 <= end; ) {
    const type = bytes.readUInt32BE(at);
    const length = bytes.readUInt32BE(at + 4);
    if (type === 0) break;
    if (type === extensionOfDataFile) return bytes.toString("utf8", at + 8, at + 8 + length);
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return "";
}

/** QEMU's ways to name a file (qemu(1), "-blockdev" and "json:"); other protocols than `file` mean no file of the host. */
function pathsIn(name: string): readonly string[] {
  if (name.startsWith("json:")) {
    try {
      return fileNamesIn(JSON.parse(name.slice("json:".length)));
    } catch {
      return [];
    }
  }
  const path = name.startsWith("file:") ? name.slice("file:".length) : name;
  return path === "" || path.includes("\0") || /^[A-Za-z0-9_+.-]+:/.test(path) ? [] : [path];
}

function fileNamesIn(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    typeof inner === "string" && /(?:^|\.)filename$/.test(key) ? pathsIn(inner) : fileNamesIn(inner),
  );
}
