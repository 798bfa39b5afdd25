import { expect, test } from "vitest";
import { parseJsonObject } from "./json.ts";

const parse = (text: string) => parseJsonObject(Buffer.from(text));

test("numbers keep all their digits", () => {
  expect(
    parse('{"a": 12345678901234567890, "b": 9007199254740992, "c": 1.5, "d": 0.1234567890123456789}'),
  ).toEqual({
    a: "12345678901234567890",
    b: 9007199254740992,
    c: 1.5,
    d: "0.1234567890123456789",
  });
});

test("text that looks like a number stays text", () => {
  expect(parse('{"a": "12345678901234567890", "b": [{"c": 1}]}')).toEqual({
    a: "12345678901234567890",
    b: [{ c: 1 }],
  });
});

test("null is nothing, and anything but an object is refused", () => {
  expect(parse("null")).toBeNull();
  expect(() => parse("[1]")).toThrow(SyntaxError);
  expect(() => parse("{")).toThrow(SyntaxError);
});
