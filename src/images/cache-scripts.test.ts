import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { cloneScript, keepScript } from "./cache-scripts.ts";
import { exitCodes } from "./scripts.ts";

const limit = 1024 ** 2;

/** A directory for images of volumes, and one where they are kept. */
class Ground {
  readonly staging: string;
  readonly cache: string;

  constructor() {
    const directory = mkdtempSync(join(tmpdir(), "breezeblock-test-"));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    this.staging = join(directory, "images");
    this.cache = join(directory, "image-cache");
  }

  /** What a volume is filled from. */
  disk(volume: string): string {
    return join(this.staging, volume, "disk");
  }

  keep(volume: string, key: string, content: Uint8Array | string, maxBytes = limit) {
    this.#place(volume);
    writeFileSync(this.disk(volume), content);
    return this.#run(keepScript, key, volume, maxBytes);
  }

  clone(volume: string, key: string, maxBytes = limit) {
    this.#place(volume);
    return this.#run(cloneScript, key, volume, maxBytes);
  }

  kept(): readonly string[] {
    return readdirSync(this.cache)
      .filter((name) => name !== "lock")
      .map((name) => name.slice(0, name.lastIndexOf(".")))
      .sort();
  }

  /** As if it had been used last that many hours ago. */
  age(key: string, hours: number): void {
    const then = Date.now() / 1000 - hours * 3600;
    for (const name of readdirSync(this.cache)) {
      if (name.startsWith(`${key}.`)) utimesSync(join(this.cache, name), then, then);
    }
  }

  #place(volume: string): void {
    mkdirSync(join(this.staging, volume), { recursive: true });
  }

  #run(script: string, key: string, volume: string, maxBytes: number) {
    const args = [this.cache, key, this.staging, volume, String(maxBytes)];
    return spawnSync("sh", ["-c", script, "breezeblock", ...args], { encoding: "utf8" });
  }
}

const digestOf = (content: string) => createHash("sha256").update(content).digest("hex");

const blocks = (count: number, byte: number) => Buffer.alloc(count * 64 * 1024, byte);

test("what was kept is given to the next volume, and to none that asks for another image", () => {
  const ground = new Ground();
  const key = `sha256-${digestOf("content")}-plain`;
  expect(ground.clone("b", key).status).toBe(exitCodes.notCached);
  expect(ground.keep("a", key, "content").status).toBe(0);
  expect(ground.clone("b", key).status).toBe(0);
  expect(readFileSync(ground.disk("b"), "utf8")).toBe("content");
  for (const other of [`sha256-${digestOf("content")}-gzip`, "sha256-2-plain", "sha256-1"]) {
    expect(ground.clone("c", other).status).toBe(exitCodes.notCached);
  }
  expect(existsSync(ground.disk("c"))).toBe(false);
});

test("what is not what its checksum says any more is not kept", () => {
  const ground = new Ground();
  const { status, stderr } = ground.keep("a", `sha256-${digestOf("content")}-plain`, "altered");
  expect(status).toBe(1);
  expect(stderr).toMatch(/changed since its checksum was verified/);
  expect(ground.kept()).toEqual([]);
});

test("what is not what it was is removed, and used by nobody", () => {
  const ground = new Ground();
  const digest = digestOf("content");
  const key = `sha256-${digest}-plain`;
  ground.keep("a", key, "content");
  writeFileSync(join(ground.cache, `${key}.${digest}`), "altered");
  const { status, stdout } = ground.clone("b", key);
  expect(status).toBe(exitCodes.notCached);
  expect(stdout).toMatch(/it is damaged/);
  expect(existsSync(ground.disk("b"))).toBe(false);
  expect(ground.kept()).toEqual([]);
});

test("the images that were used longest ago go, until the rest is within the limit", () => {
  const ground = new Ground();
  for (const [hours, key] of [
    [3, "oldest"],
    [2, "old"],
    [1, "new"],
  ] as const) {
    expect(ground.keep(key, key, blocks(5, hours)).status).toBe(0);
    ground.age(key, hours);
  }
  // Using one makes it the newest.
  expect(ground.clone("user", "oldest").status).toBe(0);
  expect(ground.keep("large", "large", blocks(10, 9)).status).toBe(0);
  expect(ground.kept()).toEqual(["large", "oldest"]);
  // A volume that is being filled from one that went keeps what it has.
  expect(readFileSync(ground.disk("old"))).toEqual(blocks(5, 2));
});

test("an image that alone is larger than the limit is not kept, and drives nothing out", () => {
  const ground = new Ground();
  ground.keep("a", "small", blocks(1, 1));
  const { status, stderr } = ground.keep("b", "large", blocks(17, 2));
  expect(status).toBe(1);
  expect(stderr).toMatch(/it takes \d+ bytes, and all images together may take 1048576/);
  expect(ground.kept()).toEqual(["small"]);
  expect(ground.clone("c", "small", 1000).status).toBe(exitCodes.notCached);
});

test("an image that a volume has already is not exchanged", () => {
  const ground = new Ground();
  ground.keep("a", "key", "content");
  mkdirSync(join(ground.staging, "b"));
  writeFileSync(ground.disk("b"), "looked-at");
  expect(ground.clone("b", "key").status).toBe(exitCodes.notCached);
  expect(readFileSync(ground.disk("b"), "utf8")).toBe("looked-at");
});
