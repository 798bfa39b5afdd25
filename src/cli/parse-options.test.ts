import { describe, expect, test } from "vitest";
import { UsageError } from "./command.ts";
import { parseOptions, parsePort } from "./parse-options.ts";

describe("parseOptions", () => {
  const options = { name: { type: "string" }, loud: { type: "boolean", default: false } } as const;

  test("gives what stands there", () => {
    expect(parseOptions(["--name", "x"], options)).toEqual({ name: "x", loud: false });
  });

  test.each([
    [["--nmae", "x"], "Unknown option '--nmae'"],
    [["x"], "Unexpected argument 'x'"],
    [["--name"], "argument missing"],
    [["--loud=yes"], "does not take an argument"],
  ])("%j is a usage error", (args, complaint) => {
    expect(() => parseOptions(args, options)).toThrow(UsageError);
    expect(() => parseOptions(args, options)).toThrow(complaint);
  });
});

describe("parsePort", () => {
  test.each([
    ["0", 0],
    ["22", 22],
    ["65535", 65_535],
  ])("%s", (text, port) => expect(parsePort(text)).toBe(port));

  test.each(["", "-1", "65536", "22x", "0x16", "1e3", " 22"])("refuses %j", (text) =>
    expect(() => parsePort(text)).toThrow(UsageError),
  );
});
