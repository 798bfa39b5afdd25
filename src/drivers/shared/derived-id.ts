import { createHash } from "node:crypto";

/**
 * A UUID made of what tells an object from all others: the same parts, the same id, on every run and every machine.
 * Version 8 of RFC 9562 (SHA-256 in place of version 5's SHA-1), which no random id can be.
 */
export function derivedId(...parts: readonly string[]): string {
  const bytes = createHash("sha256").update(JSON.stringify(parts)).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
