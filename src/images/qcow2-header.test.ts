import { describe, expect, test } from "vitest";
import { checkQcow2 } from "./qcow2-header.ts";

interface Fields {
  readonly version?: number;
  readonly backing?: number;
  readonly clusterBits?: number;
  readonly bytes?: bigint;
  readonly encryption?: number;
  readonly l1Entries?: number;
  readonly snapshots?: number;
  readonly features?: bigint;
  readonly extension?: readonly [type: number, length: number];
  readonly l1Offset?: bigint;
  readonly headerBytes?: number;
  /** In place of every byte behind the header. */
  readonly rest?: number;
}

/** A header as qemu-img writes one for a disk of 1 GiB, with some fields changed. */
function header(fields: Fields = {}): Buffer {
  const head = Buffer.alloc(65_536);
  head.writeUInt32BE(0x514649fb, 0);
  head.writeUInt32BE(fields.version ?? 3, 4);
  head.writeBigUInt64BE(BigInt(fields.backing ?? 0), 8);
  head.writeUInt32BE(fields.clusterBits ?? 16, 20);
  head.writeBigUInt64BE(fields.bytes ?? 2n ** 30n, 24);
  head.writeUInt32BE(fields.encryption ?? 0, 32);
  head.writeUInt32BE(fields.l1Entries ?? 2, 36);
  head.writeBigUInt64BE(fields.l1Offset ?? 196_608n, 40);
  head.writeBigUInt64BE(65_536n, 48);
  head.writeUInt32BE(1, 56);
  head.writeUInt32BE(fields.snapshots ?? 0, 60);
  head.writeBigUInt64BE(fields.features ?? 0n, 72);
  head.writeUInt32BE(fields.headerBytes ?? 112, 100);
  if (fields.rest !== undefined) head.fill(fields.rest, 112);
  if (fields.extension !== undefined) {
    // After one that is harmless (the names of features), whose data is no whole number of eight bytes.
    head.writeUInt32BE(0x6803f857, 112);
    head.writeUInt32BE(9, 116);
    head.writeUInt32BE(fields.extension[0], 136);
    head.writeUInt32BE(fields.extension[1], 140);
  }
  return head;
}

test("what qemu-img writes is taken, in both versions of the format", () => {
  expect(checkQcow2(header(), 262_144)).toBe(2 ** 30);
  expect(checkQcow2(header({ version: 2 }), 262_144)).toBe(2 ** 30);
  expect(checkQcow2(header({ extension: [0x6803f857, 8] }), null)).toBe(2 ** 30);
  // Lazy refcounts left dirty, zstd clusters, subclusters.
  expect(checkQcow2(header({ features: 1n | 8n }), null)).toBe(2 ** 30);
});

describe("refused before anything opens it", () => {
  test.each<readonly [string, Fields, RegExp]>([
    ["a backing file", { backing: 300 }, /backing file/],
    ["a backing file's format alone", { extension: [0xe2792aca, 3] }, /backing file/],
    ["an external data file", { features: 4n }, /external data file/],
    ["an external data file's name alone", { extension: [0x44415441, 11] }, /external data file/],
    ["encryption", { encryption: 2 }, /encrypted/],
    ["encryption by extension", { extension: [0x0537be77, 16] }, /encrypted/],
    ["corruption", { features: 2n }, /corrupt/],
    ["features of the future", { features: 1n << 40n }, /not known/],
    ["a version of the future", { version: 4 }, /version 4/],
    ["clusters of no size", { clusterBits: 0 }, /2\^0 bytes/],
    ["clusters of any size", { clusterBits: 63 }, /2\^63 bytes/],
    ["no disk", { bytes: 0n }, /no size/],
    ["an absurd disk", { bytes: 2n ** 63n }, /claims 9223372036854775808 bytes/],
    ["an absurd table", { l1Entries: 2 ** 31 }, /2147483648 entries/],
    ["a table too short", { bytes: 2n ** 40n }, /too short/],
    ["snapshots without end", { snapshots: 65_536 }, /65536 snapshots/],
    ["a header that hides the extensions", { headerBytes: 65_528 }, /header claims 65528 bytes/],
    ["a header of no whole words", { headerBytes: 108 }, /header claims 108 bytes/],
    ["a header too short", { headerBytes: 8 }, /header is cut off/],
    ["an extension past the cluster", { extension: [0x6803f857, 2 ** 31] }, /have no end/],
    ["extensions without end", { rest: 1 }, /have no end/],
    ["a table beyond its end", { l1Offset: 2n ** 60n }, /beyond its end/],
  ])("%s", (_, fields, words) => {
    expect(() => checkQcow2(header(fields), 262_144)).toThrow(words);
  });

  test.each([0, 3, 4, 71, 72, 103])("a file of %d bytes", (length) => {
    expect(() => checkQcow2(header().subarray(0, length), length)).toThrow(/cut off|does not begin/);
  });
});
