/**
 * Protocol Buffers messages by table: `scripts/generate-protocol.ts` writes one table a message, and the two functions here
 * read and write them all. Only proto3, and of it only what our protocols use: no groups, no packed lists, no floats.
 * Wire format: https://protobuf.dev/programming-guides/encoding/
 */

export type ScalarKind = "string" | "bytes" | "bool" | "integer" | "enum";

export interface Field {
  readonly number: number;
  readonly name: string;
  readonly kind: ScalarKind | "message";
  /** `single`: its kind's zero when absent. `present`: undefined when absent, written even when zero. `map`: by string. */
  readonly shape: "single" | "present" | "repeated" | "map";
  /** Of the value, for kind `message`; a function, as messages refer to each other. */
  readonly message?: () => MessageType<unknown>;
}

/** What `encode` takes: anything left out is its kind's zero. */
export type Init<T> = T extends string | number | boolean | Uint8Array
  ? T
  : T extends readonly (infer E)[]
    ? readonly Init<E>[]
    : T extends ReadonlyMap<string, infer V>
      ? ReadonlyMap<string, Init<V>>
      : { readonly [K in keyof T]?: Init<T[K]> | undefined };

export interface MessageType<T> {
  /** Throws `MalformedMessage`. Byte fields share memory with `bytes`. */
  decode(bytes: Uint8Array): T;
  encode(message: Init<T>): Uint8Array;
}

/** One remote procedure. */
export interface Method<Request, Response> {
  /** As in the `:path` of its HTTP/2 request. */
  readonly path: string;
  readonly request: MessageType<Request>;
  readonly response: MessageType<Response>;
}

export class MalformedMessage extends Error {
  override readonly name = "MalformedMessage";
}

/** The generated interfaces say what the fields of `T` are. */
export function messageType<T>(fields: readonly Field[]): MessageType<T> {
  const byNumber = new Map(fields.map((field) => [field.number, field]));
  return {
    decode: (bytes) => decodeMessage(fields, byNumber, new Reader(bytes)) as T,
    encode: (message) => {
      const writer = new Writer();
      encodeMessage(fields, message as Tree, writer);
      return writer.finish();
    },
  };
}

type Tree = { readonly [name: string]: unknown };

const varint = 0;
const fixed64 = 1;
const lengthDelimited = 2;
const fixed32 = 5;
const noBytes = new Uint8Array(0);

function decodeMessage(fields: readonly Field[], byNumber: ReadonlyMap<number, Field>, reader: Reader): Tree {
  const message: Record<string, unknown> = {};
  for (const field of fields) message[field.name] = absent(field);
  while (!reader.atEnd) {
    const tag = reader.varint();
    const field = byNumber.get(tag >>> 3);
    if (field === undefined || (tag & 7) !== wireType(field)) {
      reader.skip(tag & 7);
    } else if (field.shape === "repeated") {
      (message[field.name] as unknown[]).push(readValue(field, reader));
    } else if (field.shape === "map") {
      readMapEntry(field, reader.bytes(), message[field.name] as Map<string, unknown>);
    } else {
      message[field.name] = readValue(field, reader);
    }
  }
  return message;
}

function absent(field: Field): unknown {
  if (field.shape === "repeated") return [];
  if (field.shape === "map") return new Map();
  return field.shape === "present" ? undefined : zero(field);
}

function zero(field: Field): unknown {
  switch (field.kind) {
    case "string":
      return "";
    case "bytes":
      return noBytes;
    case "bool":
      return false;
    case "integer":
    case "enum":
      return 0;
    case "message":
      return undefined;
  }
}

function wireType(field: Field): number {
  if (field.shape === "map") return lengthDelimited;
  return field.kind === "bool" || field.kind === "integer" || field.kind === "enum"
    ? varint
    : lengthDelimited;
}

function readValue(field: Field, reader: Reader): unknown {
  switch (field.kind) {
    case "string":
      return decodeUtf8(reader.bytes());
    case "bytes":
      return reader.bytes();
    case "bool":
      return reader.varint() !== 0;
    case "integer":
    case "enum":
      return reader.varint();
    case "message":
      return field.message?.().decode(reader.bytes());
  }
}

function readMapEntry(field: Field, entry: Uint8Array, into: Map<string, unknown>): void {
  const reader = new Reader(entry);
  let key = "";
  let value = zero(field);
  while (!reader.atEnd) {
    const tag = reader.varint();
    if (tag === ((1 << 3) | lengthDelimited)) key = decodeUtf8(reader.bytes());
    else if (tag >>> 3 === 2) value = readValue(field, reader);
    else reader.skip(tag & 7);
  }
  into.set(key, value ?? field.message?.().decode(noBytes));
}

function encodeMessage(fields: readonly Field[], message: Tree, writer: Writer): void {
  for (const field of fields) {
    const value = message[field.name];
    if (value === undefined) continue;
    if (field.shape === "repeated") {
      for (const item of value as readonly unknown[]) writeField(field, field.number, item, writer);
    } else if (field.shape === "map") {
      for (const [key, item] of value as ReadonlyMap<string, unknown>) {
        const entry = new Writer();
        entry.tag(1, lengthDelimited);
        entry.bytes(Buffer.from(key));
        writeField(field, 2, item, entry);
        writer.tag(field.number, lengthDelimited);
        writer.bytes(entry.finish());
      }
    } else if (field.shape === "present" || !isZero(value)) {
      writeField(field, field.number, value, writer);
    }
  }
}

function isZero(value: unknown): boolean {
  return (
    value === "" || value === 0 || value === false || (value instanceof Uint8Array && value.length === 0)
  );
}

function writeField(field: Field, number: number, value: unknown, writer: Writer): void {
  switch (field.kind) {
    case "string":
      writer.tag(number, lengthDelimited);
      writer.bytes(Buffer.from(value as string));
      break;
    case "bytes":
      writer.tag(number, lengthDelimited);
      writer.bytes(value as Uint8Array);
      break;
    case "bool":
      writer.tag(number, varint);
      writer.varint(value === true ? 1 : 0);
      break;
    case "integer":
    case "enum":
      writer.tag(number, varint);
      writer.varint(value as number);
      break;
    case "message":
      writer.tag(number, lengthDelimited);
      writer.bytes(field.message?.().encode(value as Init<unknown>) ?? noBytes);
      break;
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

class Reader {
  readonly #data: Uint8Array;
  #position = 0;

  constructor(data: Uint8Array) {
    this.#data = data;
  }

  get atEnd(): boolean {
    return this.#position >= this.#data.length;
  }

  /** Up to 64 bits, two's complement; beyond 2^53 only approximately. */
  varint(): number {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return low;
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
    throw new MalformedMessage("A number in a message is longer than 64 bits.");
  }

  bytes(): Uint8Array {
    const length = this.varint();
    const end = this.#position + length;
    if (length < 0 || end > this.#data.length) {
      throw new MalformedMessage("A message ends in the middle of a field.");
    }
    const bytes = this.#data.subarray(this.#position, end);
    this.#position = end;
    return bytes;
  }

  skip(type: number): void {
    if (type === varint) this.varint();
    else if (type === lengthDelimited) this.bytes();
    else if (type === fixed64 || type === fixed32) this.#position += type === fixed64 ? 8 : 4;
    else throw new MalformedMessage(`A message holds a field of the unknown wire type ${type}.`);
  }

  #byte(): number {
    const byte = this.#data[this.#position];
    if (byte === undefined) throw new MalformedMessage("A message ends in the middle of a number.");
    this.#position += 1;
    return byte;
  }
}

class Writer {
  readonly #parts: Uint8Array[] = [];
  #pending: number[] = [];

  tag(number: number, type: number): void {
    this.varint((number << 3) | type);
  }

  varint(value: number): void {
    if (value >= 0 && value < 0x80) {
      this.#pending.push(value);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest >= 0x80n) {
      this.#pending.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.#pending.push(Number(rest));
  }

  /** With their length before them. */
  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.#flush();
    this.#parts.push(bytes);
  }

  finish(): Uint8Array {
    this.#flush();
    const only = this.#parts[0];
    return this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts);
  }

  #flush(): void {
    if (this.#pending.length === 0) return;
    this.#parts.push(Uint8Array.from(this.#pending));
    this.#pending = [];
  }
}
