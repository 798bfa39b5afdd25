import {
  type AttributeSet,
  type AttributeType,
  fitState,
  formatPath,
  UNKNOWN,
  type Value,
  type Values,
} from "../../../resources/schema/index.ts";
import type { AttributePath } from "../../../src/contract/index.ts";
import type { DynamicValue } from "../protocol/generated/tfplugin6.ts";
import { parseJsonObject } from "./json.ts";
import { MalformedValue, MsgpackReader, MsgpackWriter } from "./msgpack.ts";

/** A value that came in cannot be taken over as it is; `path` says where it stands. */
export class UnreadableValue extends Error {
  override readonly name = "UnreadableValue";
  readonly path: AttributePath;

  constructor(reason: string, path: AttributePath) {
    super(reason);
    this.path = path;
  }
}

/** Values on their way out. */
export interface Encoded {
  readonly value: { readonly msgpack: Uint8Array };
  /** Attributes whose value was of another kind than declared; null stands in their place, so that nothing else is lost. */
  readonly misfits: readonly string[];
}

/** Translates the values of one schema. */
export interface Codec {
  /** Null for no object at all. Every declared attribute is there; others are dropped. Throws `UnreadableValue`. */
  decode(value: DynamicValue | undefined): Values | null;
  /** Attributes that are missing become null; write-only ones always do, as they must never be stored. */
  encode(values: Values | null): Encoded;
}

/** Reads and writes one value; what it was made from is walked once, not with every value. */
interface Coder {
  read(reader: MsgpackReader): Value;
  write(writer: MsgpackWriter, value: Value | undefined, misfits: Misfits): void;
}

type Misfits = AttributePath[];

export function createCodec(attributes: AttributeSet): Codec {
  const coder = objectCoder(attributes);
  const writer = new MsgpackWriter();
  return {
    decode: (value) => {
      if (value === undefined) return null;
      if (value.msgpack.length > 0) return coder.read(new MsgpackReader(value.msgpack)) as Values | null;
      if (value.json.length === 0) return null;
      const stored = parseJsonObject(value.json);
      return stored === null ? null : fitState(attributes, stored);
    },
    encode: (values) => {
      const misfits: Misfits = [];
      coder.write(writer, values, misfits);
      return { value: { msgpack: writer.finish() }, misfits: misfits.map(formatPath) };
    },
  };
}

/** Null and unknown, which any attribute can be, around what its kind reads and writes. */
function coder(
  read: (reader: MsgpackReader) => Value,
  write: (writer: MsgpackWriter, value: Value, misfits: Misfits) => void,
): Coder {
  return {
    read: (reader) => {
      switch (reader.peek()) {
        case "null":
          reader.readNull();
          return null;
        case "extension":
          reader.readExtension();
          return UNKNOWN;
        default:
          return read(reader);
      }
    },
    write: (writer, value, misfits) => {
      if (value === null || value === undefined) writer.writeNull();
      else if (value === UNKNOWN) writer.writeUnknown();
      else write(writer, value, misfits);
    },
  };
}

function coderOf(type: AttributeType): Coder {
  switch (type.kind) {
    case "string":
      return stringCoder;
    case "integer":
    case "number":
      return numberCoder;
    case "boolean":
      return booleanCoder;
    case "list":
      return listCoder(coderOf(type.element));
    case "map":
      return mapCoder(coderOf(type.element));
    case "object":
      return objectCoder(type.attributes);
    case "object_list":
      return listCoder(objectCoder(type.attributes));
    case "object_map":
      return mapCoder(objectCoder(type.attributes));
  }
}

const stringCoder = coder(
  (reader) => {
    expectKind(reader, "string");
    return reader.readString();
  },
  (writer, value, misfits) => {
    if (typeof value === "string") writer.writeString(value);
    else writeMisfit(writer, misfits);
  },
);

const booleanCoder = coder(
  (reader) => {
    expectKind(reader, "boolean");
    return reader.readBoolean();
  },
  (writer, value, misfits) => {
    if (typeof value === "boolean") writer.writeBoolean(value);
    else writeMisfit(writer, misfits);
  },
);

const numberCoder = coder(readNumber, (writer, value, misfits) => {
  if (typeof value !== "number" || !Number.isFinite(value)) writeMisfit(writer, misfits);
  else if (Number.isSafeInteger(value)) writer.writeInteger(value);
  else writer.writeString(decimalOf(value));
});

/** Numbers that no MessagePack format holds exactly come as decimal text. */
function readNumber(reader: MsgpackReader): number {
  if (reader.peek() === "string") {
    const text = reader.readString();
    const value = Number(text);
    if (
      Number.isNaN(value) ||
      (Number.isInteger(value) && /^-?\d+$/.test(text) && BigInt(value) !== BigInt(text))
    ) {
      throw new UnreadableValue(`The number ${text} cannot be held exactly.`, []);
    }
    return value;
  }
  expectKind(reader, "number");
  const value = reader.readNumber();
  if (typeof value === "number") return value;
  if (BigInt(Number(value)) !== value) {
    throw new UnreadableValue(`The number ${value} cannot be held exactly.`, []);
  }
  return Number(value);
}

/**
 * In decimal, as the user wrote it: engines compute in decimal, and would take the binary value of 0.1 for another number.
 */
function decimalOf(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? BigInt(value).toString() : String(value);
}

function listCoder(element: Coder): Coder {
  return coder(
    (reader) => {
      expectKind(reader, "array");
      const length = reader.readArrayLength();
      const items: Value[] = [];
      for (let index = 0; index < length; index += 1) items.push(readAt(element, reader, index));
      return items;
    },
    (writer, value, misfits) => {
      if (!Array.isArray(value)) {
        writeMisfit(writer, misfits);
        return;
      }
      writer.writeArrayLength(value.length);
      for (const [index, item] of value.entries()) writeAt(element, writer, item, index, misfits);
    },
  );
}

function mapCoder(element: Coder): Coder {
  return coder(
    (reader) => {
      expectKind(reader, "map");
      const length = reader.readMapLength();
      const entries: [string, Value][] = [];
      for (let index = 0; index < length; index += 1) {
        const key = readKey(reader);
        entries.push([key, readAt(element, reader, key)]);
      }
      // Defines its keys, so that one called "__proto__" is a key like any other.
      return Object.fromEntries(entries);
    },
    (writer, value, misfits) => {
      if (!isTree(value)) {
        writeMisfit(writer, misfits);
        return;
      }
      const entries = Object.entries(value);
      writer.writeMapLength(entries.length);
      for (const [key, item] of entries) {
        writer.writeString(key);
        writeAt(element, writer, item, key, misfits);
      }
    },
  );
}

function objectCoder(attributes: AttributeSet): Coder {
  const members = new Map(
    Object.entries(attributes).map(([name, { type, writeOnly }]) => [
      name,
      { writeOnly, coder: coderOf(type) },
    ]),
  );
  const names = [...members.keys()];
  return coder(
    (reader) => {
      expectKind(reader, "map");
      const values: Record<string, Value> = {};
      for (const name of names) values[name] = null;
      for (let left = reader.readMapLength(); left > 0; left -= 1) {
        const key = readKey(reader);
        const member = members.get(key);
        if (member === undefined) reader.skip();
        else values[key] = readAt(member.coder, reader, key);
      }
      return values;
    },
    (writer, value, misfits) => {
      if (!isTree(value)) {
        writeMisfit(writer, misfits);
        return;
      }
      writer.writeMapLength(members.size);
      for (const [name, member] of members) {
        writer.writeString(name);
        if (member.writeOnly) writer.writeNull();
        else writeAt(member.coder, writer, value[name], name, misfits);
      }
    },
  );
}

function readKey(reader: MsgpackReader): string {
  expectKind(reader, "string");
  return reader.readString();
}

function readAt(coder: Coder, reader: MsgpackReader, step: string | number): Value {
  try {
    return coder.read(reader);
  } catch (error) {
    if (error instanceof UnreadableValue) throw new UnreadableValue(error.message, [step, ...error.path]);
    throw error;
  }
}

function writeAt(
  coder: Coder,
  writer: MsgpackWriter,
  value: Value | undefined,
  step: string | number,
  misfits: Misfits,
): void {
  const before = misfits.length;
  coder.write(writer, value, misfits);
  for (let index = before; index < misfits.length; index += 1) {
    misfits[index] = [step, ...(misfits[index] ?? [])];
  }
}

function writeMisfit(writer: MsgpackWriter, misfits: Misfits): void {
  misfits.push([]);
  writer.writeNull();
}

function expectKind(reader: MsgpackReader, kind: ReturnType<MsgpackReader["peek"]>): void {
  const found = reader.peek();
  if (found !== kind) throw new MalformedValue(`A ${found} stands where a ${kind} should.`);
}

function isTree(value: Value): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
