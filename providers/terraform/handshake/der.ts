/**
 * Writes the few types of ASN.1 that a certificate needs, in DER.
 * Encoding: ITU-T X.690; https://letsencrypt.org/docs/a-warm-welcome-to-asn1-and-der/
 */

/** A type's tag, the length, the content. */
function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), encodeLength(body.length), body]);
}

function encodeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 0x100)) bytes.unshift(rest % 0x100);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

export const sequence = (...content: readonly Uint8Array[]) => element(0x30, ...content);
export const set = (...content: readonly Uint8Array[]) => element(0x31, ...content);
export const boolean = (value: boolean) => element(0x01, Buffer.from([value ? 0xff : 0]));
export const utf8String = (text: string) => element(0x0c, Buffer.from(text));
export const octetString = (...content: readonly Uint8Array[]) => element(0x04, ...content);

/** All bits of all bytes. `unusedBits` at the end are left out. */
export const bitString = (bytes: Uint8Array, unusedBits = 0) =>
  element(0x03, Buffer.from([unusedBits]), bytes);

/** `[number]`, around what is written out. */
export const explicit = (number: number, content: Uint8Array) => element(0xa0 | number, content);

/** `[number]` in place of the type's own tag. */
export const implicit = (number: number, content: Uint8Array) => element(0x80 | number, content);

/** Big-endian bytes of a number that is not negative. */
export function unsignedInteger(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const digits = bytes.subarray(start);
  // A set first bit would read as a minus sign.
  return (digits[0] ?? 0) >= 0x80 ? element(0x02, Buffer.from([0]), digits) : element(0x02, digits);
}

/** From its dotted form. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part % 0x80];
    for (let left = Math.floor(part / 0x80); left > 0; left = Math.floor(left / 0x80)) {
      groups.unshift(0x80 | (left % 0x80));
    }
    bytes.push(...groups);
  }
  return element(0x06, Buffer.from(bytes));
}

/** To the second, in UTC; for years from 1950 to 2049 in the short form, as X.509 asks. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, "");
  const year = date.getUTCFullYear();
  return year >= 1950 && year < 2050
    ? element(0x17, Buffer.from(digits.slice(2)))
    : element(0x18, Buffer.from(digits));
}
