import { expect, test } from "vitest";
import { lastLine } from "./job-progress.ts";

test.each([
  ["", undefined],
  ["copied 1 of 2", undefined],
  ["copied 1 of 2 bytes\ncopied 2", "copied 1 of 2 bytes"],
  ["copied 1\ncopied 2\n", "copied 2"],
  ["10%\r20%\r30%", "20%"],
  ["10%\r\n\n", "10%"],
])("of %j the last line is %j", (text, line) => {
  expect(lastLine(text)).toBe(line);
});
