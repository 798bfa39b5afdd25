import { expect, test } from "vitest";
import { parseOptions } from "./options.ts";

test.each([
  [[], { engine: undefined, keep: false }],
  [["--engine", "tofu", "--keep"], { engine: "tofu", keep: true }],
  [["--engine=pulumi"], { engine: "pulumi", keep: false }],
  [["--help"], undefined],
])("%j", (args, options) => expect(parseOptions(args)).toEqual(options));

test.each([
  [["--engine", "ansible"], 'There is no engine "ansible"'],
  [["--engin"], "Unknown option"],
  [["tofu"], "Unexpected argument"],
])("%j is refused", (args, message) => expect(() => parseOptions(args)).toThrow(message));
