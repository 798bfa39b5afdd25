import { expect, test } from "vitest";
import { progressTeller } from "./progress.ts";

/** What somebody who waits is told of lines that come at these times, in seconds. */
function told(lines: readonly (readonly [number, string])[]): readonly string[] {
  const infos: string[] = [];
  const debugs: unknown[] = [];
  let seconds = 0;
  const tell = progressTeller(
    { info: (message) => infos.push(message), debug: (_, fields) => debugs.push(fields?.["progress"]) },
    'create volume "root"',
    () => seconds * 1_000,
  );
  for (const [at, line] of lines) {
    seconds = at;
    tell(line);
  }
  expect(debugs).toEqual(lines.map(([, line]) => line));
  return infos;
}

const gibibyte = 1024 ** 3;
const copied = (tenths: number) => `copied ${Math.ceil(tenths * gibibyte)} of ${10 * gibibyte} bytes`;

test("what ends soon is not told of", () => {
  expect(
    told([
      [1, copied(3)],
      [2, copied(10)],
    ]),
  ).toEqual([]);
});

test("long work is told of by its name, per tenth, in MiB, and to its end", () => {
  const lines = Array.from({ length: 101 }, (_, index) => [4 + 5 * index, copied(index / 10)] as const);
  const infos = told(lines);
  expect(infos).toHaveLength(11);
  expect(infos[0]).toBe('create volume "root": copied 0 of 10240 MiB');
  expect(infos.at(-1)).toBe('create volume "root": copied 10240 of 10240 MiB');
});

test("what goes fast is told of every few seconds", () => {
  const lines = Array.from({ length: 11 }, (_, index) => [4 + index, copied(index)] as const);
  expect(told(lines)).toHaveLength(4);
});

test("each stage is told of as it begins", () => {
  expect(
    told([
      [10, `fetched ${gibibyte} bytes`],
      [11, `fetched ${2 * gibibyte} bytes`],
      [11, "(0.00/100%)"],
      [12, "(50.10/100%)"],
      [15, "(60.10/100%)"],
      [15, copied(1)],
      [16, `copied; comparing ${gibibyte} bytes`],
    ]),
  ).toEqual(
    ["fetched 1024 MiB", "0 %", "60 %", "copied 1024 of 10240 MiB", "copied; comparing 1024 MiB"].map(
      (words) => `create volume "root": ${words}`,
    ),
  );
});

test("where nobody knows how much there is, half a minute passes between two lines", () => {
  const lines = Array.from(
    { length: 13 },
    (_, index) => [5 + 5 * index, `fetched ${gibibyte * index} bytes`] as const,
  );
  expect(told(lines)).toHaveLength(3);
});
