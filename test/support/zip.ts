import { crc32 } from "node:zlib";

export interface ZipEntry {
  readonly name: string;
  readonly content: Buffer;
  /** Unix permissions, such as 0o755. */
  readonly mode: number;
}

/** A ZIP archive (APPNOTE 6.3.3) of entries that are stored as they are. */
export function zip(entries: readonly ZipEntry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, mode } of entries) {
    const path = Buffer.from(name);
    // What the local header and the directory have in common: versions, method, time, sizes, lengths.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(path.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, path, content]);
    const attributes = Buffer.alloc(14);
    attributes.writeUInt32LE(((0o100000 | mode) << 16) >>> 0, 6);
    attributes.writeUInt32LE(offset, 10);
    directory.push(
      // Made on Unix, so that the permissions count.
      Buffer.concat([Buffer.from("PK\x01\x02"), Buffer.from([20, 3]), common, attributes, path]),
    );
    files.push(local);
    offset += local.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(Buffer.concat(directory).length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...files, ...directory, Buffer.from("PK\x05\x06"), end]);
}
