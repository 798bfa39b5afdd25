import { decode as decodeMsgpack, ExtData, ExtensionCodec, encode as encodeMsgpack } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  boolean,
  integer,
  number,
  object,
  objectList,
  objectMap,
  string,
  stringList,
  stringMap,
  UNKNOWN,
  type Values,
} from "../../../resources/schema/index.ts";
import { createCodec, UnreadableValue } from "./codec.ts";

const description = "…";
const inner = { a: string("required", { description }), b: integer("optional", { description }) };
const attributes = {
  text: string("optional", { description }),
  whole: integer("optional", { description }),
  ratio: number("optional", { description }),
  flag: boolean("optional", { description }),
  map: stringMap("optional", { description }),
  list: stringList("optional", { description }),
  one: object(inner, "optional", { description }),
  many: objectMap(inner, "optional", { description }),
  some: objectList(inner, "optional", { description }),
  secret: string("optional", { description, writeOnly: true }),
};
const codec = createCodec(attributes);
const none = Object.fromEntries(Object.keys(attributes).map((name) => [name, null]));
const noBytes = new Uint8Array(0);

const unknowns = new ExtensionCodec();
for (const type of [0, 12]) unknowns.register({ type, encode: () => null, decode: () => "unknown" });

/** What an engine would send. */
function incoming(value: unknown) {
  return { msgpack: encodeMsgpack(value, { useBigInt64: true }), json: noBytes };
}

/** What an engine would read. */
function outgoing(values: Values | null): unknown {
  return decodeMsgpack(codec.encode(values).value.msgpack, { extensionCodec: unknowns, useBigInt64: true });
}

describe("values that come in", () => {
  test("have every attribute, those left out and those unheard of taken care of", () => {
    expect(codec.decode(incoming({ text: "x", unheard: [{ of: 1.5 }, null, "y", true] }))).toEqual({
      ...none,
      text: "x",
    });
  });

  test("may be no object at all", () => {
    expect(codec.decode(incoming(null))).toBeNull();
    expect(codec.decode(undefined)).toBeNull();
    expect(codec.decode({ msgpack: noBytes, json: noBytes })).toBeNull();
  });

  test.each([
    ["plain", new ExtData(0, new Uint8Array([0]))],
    ["refined", new ExtData(12, encodeMsgpack({ 1: false, 2: "pre" }))],
    ["refined at length", new ExtData(12, new Uint8Array(300))],
    ["of a type to come", new ExtData(7, new Uint8Array(16))],
  ])("may be unknown: %s", (_name, unknown) => {
    expect(codec.decode(incoming({ text: unknown, whole: 5, one: { a: unknown, b: 1 } }))).toMatchObject({
      text: UNKNOWN,
      whole: 5,
      one: { a: UNKNOWN, b: 1 },
    });
  });

  test.each([0, 1, 127, 128, 255, 65_536, 2 ** 32, 2 ** 53 - 1, -1, -32, -33, -129, -(2 ** 31) - 1])(
    "hold the whole number %d",
    (whole) => {
      expect(codec.decode(incoming({ whole }))?.["whole"]).toBe(whole);
      expect(codec.decode(incoming({ whole: BigInt(whole) }))?.["whole"]).toBe(whole);
    },
  );

  test("hold numbers that come as text, as those do that no binary format holds", () => {
    expect(codec.decode(incoming({ ratio: "0.1" }))?.["ratio"]).toBe(0.1);
    expect(codec.decode(incoming({ ratio: "1e300" }))?.["ratio"]).toBe(1e300);
    expect(codec.decode(incoming({ whole: "9007199254740992" }))?.["whole"]).toBe(2 ** 53);
  });

  test.each([
    ["as text", "9007199254740993"],
    ["as an integer", 9007199254740993n],
  ])("are refused, with their place, where a digit would be lost: %s", (_name, b) => {
    const decode = () => codec.decode(incoming({ many: { "x y": { a: "", b } } }));
    expect(decode).toThrow(UnreadableValue);
    expect(decode).toThrow(/9007199254740993/);
    try {
      decode();
    } catch (error) {
      expect((error as UnreadableValue).path).toEqual(["many", "x y", "b"]);
    }
  });

  test("may be JSON", () => {
    const json = Buffer.from('{"text":"x","list":["a"],"one":{"a":"1"},"unheard":1}');
    expect(codec.decode({ msgpack: noBytes, json })).toEqual({
      ...none,
      text: "x",
      list: ["a"],
      one: { a: "1", b: null },
    });
  });

  test("of another shape are refused", () => {
    expect(() => codec.decode(incoming({ text: 5 }))).toThrow(/number stands where a string/);
    expect(() => codec.decode(incoming({ list: { a: 1 } }))).toThrow(/map stands where a array/);
    expect(() => codec.decode({ msgpack: Buffer.from([0x81, 0xa4]), json: noBytes })).toThrow(/too early/);
  });
});

describe("values that go out", () => {
  test("have every attribute, null where there is none", () => {
    expect(outgoing({ text: "x" })).toEqual({ ...none, text: "x" });
    expect(outgoing({ one: { a: "x" } })).toEqual({ ...none, one: { a: "x", b: null } });
    expect(outgoing(null)).toBeNull();
  });

  test("never hold what is write-only", () => {
    expect(outgoing({ secret: "hunter2" })).toEqual(none);
  });

  test("may be unknown", () => {
    expect(outgoing({ text: UNKNOWN, list: ["a", UNKNOWN] })).toMatchObject({
      text: "unknown",
      list: ["a", "unknown"],
    });
  });

  test.each([
    [0.1, "0.1"],
    [-2.5, "-2.5"],
    [2 ** 53, "9007199254740992"],
    [2 ** 69, "590295810358705651712"],
    [1e300, "1e+300"],
  ])("hold the number %d as engines compute with it", (ratio, text) => {
    expect(outgoing({ ratio })).toMatchObject({ ratio: text });
  });

  test("of a wrong kind are null and named, and cost nothing else", () => {
    const wrong = { text: 5, whole: Number.NaN, list: "x", some: [{ a: true }], flag: true } as Values;
    const { value, misfits } = codec.encode(wrong);
    expect(misfits).toEqual(["text", "whole", "list", "some[0].a"]);
    expect(decodeMsgpack(value.msgpack)).toEqual({ ...none, some: [{ a: null, b: null }], flag: true });
  });
});

test("any value comes back as it went", () => {
  const text = fc.string({ unit: "binary" });
  const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
  const innerValues = fc.record({ a: text, b: optional(fc.maxSafeInteger()) });
  const anything = fc.record({
    text: optional(fc.oneof(text, fc.constant(UNKNOWN))),
    whole: optional(fc.maxSafeInteger()),
    ratio: optional(fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)),
    flag: optional(fc.boolean()),
    map: optional(fc.dictionary(text, text)),
    list: optional(fc.array(text)),
    one: optional(innerValues),
    many: optional(fc.dictionary(text, innerValues)),
    some: optional(fc.array(innerValues, { maxLength: 20 })),
    secret: fc.constant(null),
  });
  fc.assert(
    fc.property(anything, (values) => {
      const { value, misfits } = codec.encode(values as Values);
      expect(misfits).toEqual([]);
      const back = codec.decode({ ...value, json: noBytes });
      // Text that is not well-formed Unicode cannot be carried; everything else is as it was.
      expect(JSON.stringify(back)).toBe(JSON.stringify(wellFormed(values)));
      expect(back?.["text"] === UNKNOWN).toBe(values.text === UNKNOWN);
    }),
    { numRuns: 500 },
  );
});

function wellFormed(values: unknown): unknown {
  if (typeof values === "string") return Buffer.from(values).toString();
  if (Array.isArray(values)) return values.map(wellFormed);
  if (values === null || typeof values !== "object") return values;
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [Buffer.from(key).toString(), wellFormed(value)]),
  );
}

test("a label called __proto__ is a label", () => {
  const map = JSON.parse('{"__proto__": "x", "constructor": "y"}') as Record<string, string>;
  const { value } = codec.encode({ map });
  const back = codec.decode({ ...value, json: noBytes })?.["map"] as Record<string, string>;
  expect(Object.entries(back)).toEqual([
    ["__proto__", "x"],
    ["constructor", "y"],
  ]);
});

test("texts and collections of every length are carried", () => {
  for (const length of [31, 32, 255, 256, 65_535, 65_536, 100_000]) {
    const values = { text: "ü".repeat(length), list: Array.from({ length }, () => "") };
    const { value } = codec.encode(values);
    expect(codec.decode({ ...value, json: noBytes })).toMatchObject(values);
    expect(decodeMsgpack(value.msgpack)).toMatchObject(values);
    expect(codec.decode(incoming(values))).toMatchObject(values);
  }
});
