import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { tempDirectory } from "../support/temp-directory.ts";
import { cached, hashOf } from "./cache.ts";

function emptyCache(): void {
  vi.stubEnv("XDG_CACHE_HOME", tempDirectory());
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
}

/** An entry whose file counts how often it was made. */
function countingEntry(key = "1") {
  let made = 0;
  return {
    kind: "image",
    key,
    files: ["made"],
    async make(directory: string) {
      made++;
      writeFileSync(join(directory, "made"), String(made));
    },
  };
}

test("an entry is made once, also when several ask at the same time", async () => {
  emptyCache();
  const entry = countingEntry();
  const [first = "", second] = await Promise.all([cached(entry), cached(entry)]);
  expect(second).toBe(first);
  expect(await cached(entry)).toBe(first);
  expect(readFileSync(join(first, "made"), "utf8")).toBe("1");
});

test("an entry that lacks a file, or has it empty, is made again", async () => {
  emptyCache();
  const entry = countingEntry();
  const file = join(await cached(entry), "made");
  rmSync(file);
  await cached(entry);
  expect(readFileSync(file, "utf8")).toBe("2");
  writeFileSync(file, "");
  await cached(entry);
  expect(readFileSync(file, "utf8")).toBe("3");
});

test("an entry whose making failed is not there, and the next call makes it", async () => {
  emptyCache();
  const entry = countingEntry();
  const make = vi.fn(entry.make).mockRejectedValueOnce(new Error("The mirror is down."));
  await expect(cached({ ...entry, make })).rejects.toThrow("The mirror is down.");
  expect(existsSync(join(await cached({ ...entry, make }), "made"))).toBe(true);
});

test("the hash of a recipe changes with a file's contents and name", () => {
  const directory = tempDirectory();
  writeFileSync(join(directory, "a"), "1");
  const before = hashOf([directory]);
  writeFileSync(join(directory, "a"), "2");
  const changed = hashOf([directory]);
  rmSync(join(directory, "a"));
  writeFileSync(join(directory, "b"), "1");
  expect(new Set([before, changed, hashOf([directory])]).size).toBe(3);
});
