import { deflateRawSync, inflateRawSync } from "node:zlib";

/**
 * Records as short text: numbered fields, deflated where that is shorter, in base64 without padding, whose characters
 * LVM takes in tags. Fields of a later version come through unchanged.
 */

export interface Field {
  /** 1 to 127. */
  readonly number: number;
  readonly value: Buffer;
}

const form = { plain: 1, deflated: 2 } as const;

/** More than all tags of a logical volume could hold; keeps a damaged tag from filling the memory. */
const longestRecord = 1024 ** 2;

/**
 * What records often hold, the commonest last. Part of the format: it can never change, only be joined by another one
 * under a form of its own.
 */
const dictionary = Buffer.from(
  [
    '"thin""thick""zero""none""retain""snapshot""replace""migrate""refuse"',
    '"timeouts":{"create":"","read":"","update":"","delete":"60m"}',
    '"on_source_change":"replace","on_backend_change":"migrate","deletion_policy":"retain"',
    '"labels":{"volume_clear":"none","name_prefix":"snapshot_size_percent":',
    "nqn.2014-08.org.nvmexpress:uuid:iqn.1993-08.org.debian:01:iqn.1994-05.com.redhat:",
    ".example.com.internal.localdomain.local10.192.168.",
    "costcentercost_centerprojectstageservicecomponentmanaged_byterraformtofupulumi",
    "databasepostgresmysqlbackupwebappdatastoragedevelopmentdevtesttestingstaging",
    "ownerapplicationregionzoneroletierteamnameenvironmentenvproductionprodtruefalse",
  ].join(""),
  "latin1",
);

export function pack(fields: readonly Field[]): string {
  const plain = Buffer.concat(fields.flatMap(({ number, value }) => [Buffer.of(number), sized(value)]));
  const deflated = deflateRawSync(plain, { dictionary, level: 9 });
  const [kind, body] = deflated.length < plain.length ? [form.deflated, deflated] : [form.plain, plain];
  return Buffer.concat([Buffer.of(kind), body])
    .toString("base64")
    .replace(/=+$/, "");
}

/** Strict: throws an `Error` that says what is wrong. */
export function unpack(text: string): readonly Field[] {
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64").replace(/=+$/, "") !== text) throw new Error("is not valid base64");
  const reader = new Reader(plainBytes(bytes));
  const fields: Field[] = [];
  while (!reader.atEnd) fields.push({ number: reader.byte(), value: reader.sized() });
  return fields;
}

function plainBytes(bytes: Buffer): Buffer {
  const body = bytes.subarray(1);
  if (bytes[0] === form.plain) return body;
  if (bytes[0] !== form.deflated) {
    throw new Error(`has the form ${bytes[0] ?? "nothing"}; a newer breezeblock wrote it, or it is damaged`);
  }
  try {
    return inflateRawSync(body, { dictionary, maxOutputLength: longestRecord });
  } catch {
    throw new Error("cannot be inflated");
  }
}

/** Values one after the other, each after its length. */
export function packList(values: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(values.map((value) => sized(Buffer.from(value))));
}

export function unpackList(bytes: Buffer): readonly Buffer[] {
  const reader = new Reader(bytes);
  const values: Buffer[] = [];
  while (!reader.atEnd) values.push(reader.sized());
  return values;
}

function sized(value: Buffer): Buffer {
  const length: number[] = [];
  for (let left = value.length; ; left >>>= 7) {
    if (left < 0x80) {
      length.push(left);
      return Buffer.concat([Buffer.from(length), value]);
    }
    length.push((left & 0x7f) | 0x80);
  }
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new Error("ends in the middle of a field");
    return byte;
  }

  sized(): Buffer {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Error("ends in the middle of a field");
    const value = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return value;
  }
}
