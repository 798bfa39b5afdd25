/**
 * Reads and writes MessagePack as far as engines use it for values.
 * Formats: https://github.com/msgpack/msgpack/blob/master/spec.md; what they stand for: "object-wire-format" in the
 * engines' docs/plugin-protocol.
 */

export class MalformedValue extends Error {
  override readonly name = "MalformedValue";
}

/** What stands next in the input. An extension is always an unknown value, refined or not. */
export type Kind = "null" | "boolean" | "number" | "string" | "array" | "map" | "extension";

const nil = 0xc0;

export class MsgpackReader {
  readonly #data: Buffer;
  #position = 0;

  constructor(data: Uint8Array) {
    this.#data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  }

  peek(): Kind {
    const format = this.#data[this.#position];
    if (format === undefined) throw truncated();
    if (format <= 0x7f || format >= 0xe0) return "number";
    if (format <= 0x8f) return "map";
    if (format <= 0x9f) return "array";
    if (format <= 0xbf) return "string";
    switch (format) {
      case nil:
        return "null";
      case 0xc2:
      case 0xc3:
        return "boolean";
      case 0xca:
      case 0xcb:
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3:
        return "number";
      case 0xc4:
      case 0xc5:
      case 0xc6:
      case 0xd9:
      case 0xda:
      case 0xdb:
        return "string";
      case 0xdc:
      case 0xdd:
        return "array";
      case 0xde:
      case 0xdf:
        return "map";
      case 0xc1:
        throw new MalformedValue("A value has a format that MessagePack does not define.");
      default:
        return "extension";
    }
  }

  /** Over a null. */
  readNull(): void {
    this.#uint(1);
  }

  readBoolean(): boolean {
    return this.#uint(1) === 0xc3;
  }

  /** A 64-bit integer beyond what `number` holds exactly comes as bigint. */
  readNumber(): number | bigint {
    const format = this.#uint(1);
    if (format <= 0x7f) return format;
    if (format >= 0xe0) return format - 0x100;
    switch (format) {
      case 0xca:
        return this.#data.readFloatBE(this.#advance(4));
      case 0xcb:
        return this.#data.readDoubleBE(this.#advance(8));
      case 0xcc:
        return this.#uint(1);
      case 0xcd:
        return this.#uint(2);
      case 0xce:
        return this.#uint(4);
      case 0xcf:
        return narrow(this.#data.readBigUInt64BE(this.#advance(8)));
      case 0xd0:
        return this.#data.readInt8(this.#advance(1));
      case 0xd1:
        return this.#data.readInt16BE(this.#advance(2));
      case 0xd2:
        return this.#data.readInt32BE(this.#advance(4));
      default:
        return narrow(this.#data.readBigInt64BE(this.#advance(8)));
    }
  }

  readString(): string {
    const length = this.#stringLength();
    const start = this.#advance(length);
    return this.#data.toString("utf8", start, start + length);
  }

  /** The number of items that follow. */
  readArrayLength(): number {
    const format = this.#uint(1);
    if (format <= 0x9f) return format & 0x0f;
    return this.#uint(format === 0xdc ? 2 : 4);
  }

  /** The number of pairs of key and value that follow. */
  readMapLength(): number {
    const format = this.#uint(1);
    if (format <= 0x8f) return format & 0x0f;
    return this.#uint(format === 0xde ? 2 : 4);
  }

  readExtension(): void {
    const format = this.#uint(1);
    const length = format >= 0xd4 ? 1 << (format - 0xd4) : this.#uint(1 << (format - 0xc7));
    this.#advance(1 + length);
  }

  /** Over one value of any kind. */
  skip(): void {
    switch (this.peek()) {
      case "null":
      case "boolean":
        this.#advance(1);
        break;
      case "number":
        this.readNumber();
        break;
      case "string":
        this.#advance(this.#stringLength());
        break;
      case "extension":
        this.readExtension();
        break;
      case "array":
        for (let left = this.readArrayLength(); left > 0; left -= 1) this.skip();
        break;
      case "map":
        for (let left = this.readMapLength() * 2; left > 0; left -= 1) this.skip();
        break;
    }
  }

  #stringLength(): number {
    const format = this.#uint(1);
    if (format <= 0xbf) return format & 0x1f;
    // 8, 16 or 32 bits, of text from 0xd9 on, of bytes from 0xc4 on.
    return this.#uint(1 << (format >= 0xd9 ? format - 0xd9 : format - 0xc4));
  }

  #uint(bytes: number): number {
    const start = this.#advance(bytes);
    return bytes === 1 ? this.#data.readUInt8(start) : this.#data.readUIntBE(start, bytes);
  }

  /** Where the next `bytes` begin. */
  #advance(bytes: number): number {
    const start = this.#position;
    if (start + bytes > this.#data.length) throw truncated();
    this.#position = start + bytes;
    return start;
  }
}

function truncated(): MalformedValue {
  return new MalformedValue("A value ends too early.");
}

function narrow(value: bigint): number | bigint {
  const near = Number(value);
  return Number.isSafeInteger(near) ? near : value;
}

export class MsgpackWriter {
  #data = Buffer.allocUnsafe(1024);
  #length = 0;

  /** A copy of what was written since the last call. */
  finish(): Buffer {
    const written = Buffer.from(this.#data.subarray(0, this.#length));
    this.#length = 0;
    return written;
  }

  writeNull(): void {
    this.#byte(nil);
  }

  writeBoolean(value: boolean): void {
    this.#byte(value ? 0xc3 : 0xc2);
  }

  /** An unknown value without refinements. */
  writeUnknown(): void {
    this.#byte(0xd4);
    this.#byte(0);
    this.#byte(0);
  }

  /** A safe integer. */
  writeInteger(value: number): void {
    if (value >= 0 ? value <= 0x7f : value >= -0x20) {
      this.#byte(value & 0xff);
    } else if (value >= -0x8000_0000 && value <= 0x7fff_ffff) {
      this.#byte(0xd2);
      const start = this.#reserve(4);
      this.#data.writeInt32BE(value, start);
    } else {
      this.#byte(0xd3);
      const start = this.#reserve(8);
      this.#data.writeBigInt64BE(BigInt(value), start);
    }
  }

  writeString(text: string): void {
    const length = Buffer.byteLength(text);
    this.#header(length, 0xa0, 0x1f, [0xd9, 0xda, 0xdb]);
    const start = this.#reserve(length);
    this.#data.write(text, start, "utf8");
  }

  writeArrayLength(length: number): void {
    this.#header(length, 0x90, 0x0f, [undefined, 0xdc, 0xdd]);
  }

  writeMapLength(length: number): void {
    this.#header(length, 0x80, 0x0f, [undefined, 0xde, 0xdf]);
  }

  #header(
    length: number,
    fixed: number,
    fixedLimit: number,
    formats: readonly [number | undefined, number, number],
  ): void {
    const [byteFormat, shortFormat, longFormat] = formats;
    if (length <= fixedLimit) {
      this.#byte(fixed | length);
    } else if (byteFormat !== undefined && length <= 0xff) {
      this.#byte(byteFormat);
      this.#byte(length);
    } else if (length <= 0xffff) {
      this.#byte(shortFormat);
      const start = this.#reserve(2);
      this.#data.writeUInt16BE(length, start);
    } else {
      this.#byte(longFormat);
      const start = this.#reserve(4);
      this.#data.writeUInt32BE(length, start);
    }
  }

  #byte(value: number): void {
    const start = this.#reserve(1);
    this.#data[start] = value;
  }

  /** Where the next `bytes` go; makes room for them, in a new `#data` where there is none left. */
  #reserve(bytes: number): number {
    const start = this.#length;
    const end = start + bytes;
    if (end > this.#data.length) {
      const larger = Buffer.allocUnsafe(Math.max(end, this.#data.length * 2));
      this.#data.copy(larger, 0, 0, start);
      this.#data = larger;
    }
    this.#length = end;
    return start;
  }
}
