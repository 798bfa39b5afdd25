import { rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tempDirectory } from "../../../test/support/temp-directory.ts";
import { StateFileError } from "./state-file.ts";
import { StateSource } from "./state-source.ts";

const state = (...ids: readonly string[]) => {
  const instances = ids.map((id) => ({ attributes: { id } }));
  const resources = [{ mode: "managed", type: "breezeblock_volume", name: "x", instances }];
  return JSON.stringify({ version: 4, serial: 1, resources });
};
const one = "fast/0b7c5d2e-1f3a-4c6b-9d8e-00a1b2c3d4e1";
const two = "fast/0b7c5d2e-1f3a-4c6b-9d8e-00a1b2c3d4e2";

test("files are read again, and are as old as the oldest of them", async () => {
  const [first, second] = ["a", "b"].map((name) => join(tempDirectory(), name)) as [string, string];
  writeFileSync(first, state(one));
  writeFileSync(second, state());
  utimesSync(first, 2000, 2000);
  utimesSync(second, 1000, 1000);
  const source = await StateSource.open([first, second]);
  expect(source.states.map(({ objects }) => objects.length)).toEqual([1, 0]);
  expect(source.writtenAt).toBe(1_000_000);
  expect(await source.refresh()).toBe(false);
  writeFileSync(first, state(one, two));
  expect(await source.refresh()).toBe(true);
  expect(source.states.map(({ objects }) => objects.length)).toEqual([2, 0]);
});

test("what cannot be read any more is an error, and none given is none", async () => {
  const file = join(tempDirectory(), "a");
  writeFileSync(file, state(one));
  const source = await StateSource.open([file]);
  writeFileSync(file, "{");
  await expect(source.refresh()).rejects.toThrow(StateFileError);
  rmSync(file);
  await expect(source.refresh()).rejects.toThrow("cannot be read");
  expect(source.states).toHaveLength(1);
  const none = await StateSource.open([]);
  expect([none.states, none.writtenAt, await none.refresh()]).toEqual([[], null, false]);
});
