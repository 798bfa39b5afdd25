/**
 * The header of a qcow2 file, as QEMU's docs/interop/qcow2.txt describes it. Looked at before any program opens the file: a
 * header can name other files of the host, and tables of any size.
 */

/** As many bytes of a file as the checks need: header and extensions stand in the first cluster. */
export const headBytes = 64 * 1024;

/** What QEMU itself takes at most. */
const longestL1Table = 32 * 1024 ** 2;
const mostSnapshots = 64;
const smallestHeader = 72;
const headerOfVersion3 = 104;
/** Far more than any version of the format has, and within what is looked at. */
const longestHeader = 4096;

const incompatible = { dirty: 1n, corrupt: 2n, dataFile: 4n, compression: 8n, extendedL2: 16n } as const;
const known = Object.values(incompatible).reduce<bigint>((bits, bit) => bits | bit, 0n);
const extensions = {
  end: 0,
  backingFormat: 0xe2792aca,
  dataFile: 0x44415441,
  encryption: 0x0537be77,
} as const;

/** Any version of QEMU's copy-on-write formats begins so. */
export function isQcow(head: Buffer): boolean {
  return head.length >= 4 && head.readUInt32BE(0) === 0x514649fb;
}

/**
 * The size of the disk in a qcow2 file, in bytes.
 *
 * @param head the first `headBytes`, or the whole file where it is shorter
 * @param fileBytes the file's length; `null` where it is not known
 * @throws Error that says why the file is not to be opened, as the end of a sentence about the image
 */
export function checkQcow2(head: Buffer, fileBytes: number | null): number {
  if (!isQcow(head))
    throw new Error('it does not begin as a qcow2 file does; a raw disk is declared as format = "raw"');
  if (head.length < smallestHeader) throw new Error("its header is cut off");
  const version = head.readUInt32BE(4);
  if (version !== 2 && version !== 3)
    throw new Error(`it has version ${version} of the format; 2 and 3 can be read`);
  if (version === 3 && head.length < headerOfVersion3) throw new Error("its header is cut off");
  if (head.readBigUInt64BE(8) !== 0n) throw new Error("it takes content from a backing file");
  if (head.readUInt32BE(32) !== 0) throw new Error("it is encrypted");
  const clusterBits = head.readUInt32BE(20);
  if (clusterBits < 9 || clusterBits > 21) throw new Error(`its clusters have 2^${clusterBits} bytes`);
  const features = version === 3 ? head.readBigUInt64BE(72) : 0n;
  checkFeatures(features);
  const headerBytes = version === 3 ? head.readUInt32BE(100) : smallestHeader;
  if (version === 3 && headerBytes < headerOfVersion3) throw new Error("its header is cut off");
  checkExtensions(head, headerBytes, 2 ** clusterBits);
  const bytes = head.readBigUInt64BE(24);
  if (bytes === 0n) throw new Error("its disk has no size");
  if (bytes > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error(`its disk claims ${bytes} bytes`);
  checkTables(head, Number(bytes), 2 ** clusterBits, (features & incompatible.extendedL2) !== 0n, fileBytes);
  return Number(bytes);
}

function checkFeatures(features: bigint): void {
  if ((features & incompatible.dataFile) !== 0n)
    throw new Error("it keeps its content in an external data file");
  if ((features & incompatible.corrupt) !== 0n) throw new Error("it is marked as corrupt");
  if ((features & ~known) !== 0n) throw new Error("it uses features of the format that are not known");
}

function checkExtensions(head: Buffer, headerBytes: number, clusterBytes: number): void {
  if (headerBytes > longestHeader || headerBytes % 8 !== 0)
    throw new Error(`its header claims ${headerBytes} bytes`);
  const end = Math.min(head.length, clusterBytes);
  for (let at = headerBytes; at + 8 <= end; ) {
    const type = head.readUInt32BE(at);
    const length = head.readUInt32BE(at + 4);
    if (type === extensions.end) return;
    if (type === extensions.backingFormat) throw new Error("it takes content from a backing file");
    if (type === extensions.dataFile) throw new Error("it keeps its content in an external data file");
    if (type === extensions.encryption) throw new Error("it is encrypted");
    at += 8 + Math.ceil(length / 8) * 8;
  }
  // What follows could be anything that another program takes for an extension.
  throw new Error("the extensions of its header have no end");
}

function checkTables(
  head: Buffer,
  bytes: number,
  clusterBytes: number,
  hasExtendedL2: boolean,
  fileBytes: number | null,
): void {
  const l1Entries = head.readUInt32BE(36);
  const bytesPerEntry = (clusterBytes / (hasExtendedL2 ? 16 : 8)) * clusterBytes;
  if (l1Entries * 8 > longestL1Table)
    throw new Error(`its first table has ${l1Entries} entries, more than any program takes`);
  if (l1Entries < Math.ceil(bytes / bytesPerEntry))
    throw new Error("its first table is too short for its disk");
  const snapshots = head.readUInt32BE(60);
  if (snapshots > mostSnapshots)
    throw new Error(`it has ${snapshots} snapshots inside; ${mostSnapshots} is the most`);
  if (fileBytes === null) return;
  const ends = [
    head.readBigUInt64BE(40) + BigInt(l1Entries) * 8n,
    head.readBigUInt64BE(48) + BigInt(head.readUInt32BE(56)) * BigInt(clusterBytes),
  ];
  if (ends.some((end) => end > BigInt(fileBytes)))
    throw new Error("it is cut off: its tables lie beyond its end");
}
