import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeTempDirectory, removeDirectory } from "../../test/support/temp-directory.ts";
import { copyOutCodes, copyOutScript, discardScript, removeScript } from "./copy-out-scripts.ts";
import { LocalFile, removeLocal } from "./local-file.ts";

const id = "0c4a8c4e-7d2f-8a53-9a51-1f0ce1a2b3c4";
let directory: string;
let staging: string;
let marker: string;
let source: string;
let image: string;
const content = Buffer.concat([Buffer.from("data"), Buffer.alloc(200_000), Buffer.from("more")]);

beforeEach(() => {
  directory = makeTempDirectory();
  staging = join(directory, "images");
  marker = join(directory, "marker");
  source = join(directory, "volume, one.raw");
  image = join(directory, "out, of it.img");
  writeFileSync(marker, '{"identity":"x"}\n');
  writeFileSync(source, content);
});
afterEach(() => removeDirectory(directory));

function run(script: string, ...args: readonly string[]) {
  return spawnSync("sh", ["-c", script, "breezeblock", ...args], { encoding: "utf8" });
}

const copy = (file: string) =>
  run(copyOutScript, staging, id, file, "raw", "plain", "raw", source, marker, '"x"', String(content.length));

const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

test("the image has the content, its name, nobody else's access, and nothing beside it", () => {
  const { status, stdout, stderr } = copy(image);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(stdout).toBe(`\nimage ${content.length} ${digest(content)}\n`);
  expect(readFileSync(image).equals(content)).toBe(true);
  expect(execFileSync("stat", ["-c", "%a", image], { encoding: "utf8" }).trim()).toBe("600");
  expect(run(discardScript, staging, id).status).toBe(0);
  expect(readdirSync(staging)).toEqual([]);
  expect(readdirSync(directory).filter((name) => name.endsWith(".part"))).toEqual([]);
  expect(run(discardScript, staging, id).status).toBe(0);
});

test("nothing is written over, a link to nothing included", () => {
  writeFileSync(image, "precious");
  expect(copy(image).status).toBe(copyOutCodes.exists);
  expect(readFileSync(image, "utf8")).toBe("precious");
  const link = join(directory, "link");
  execFileSync("ln", ["-s", "nowhere", link]);
  expect(copy(link).status).toBe(copyOutCodes.exists);
  expect(readdirSync(directory).filter((name) => name.endsWith(".part"))).toEqual([]);
});

test("what a killed run left is written anew, or ended where only its end was missing", () => {
  writeFileSync(`${image}.breezeblock-${id}.part`, "half");
  expect(copy(image).status).toBe(0);
  expect(readFileSync(image).equals(content)).toBe(true);
  execFileSync("ln", [image, `${image}.breezeblock-${id}.part`]);
  const again = copy(image);
  expect(again.stdout).toContain(digest(content));
  expect(readdirSync(directory).filter((name) => name.endsWith(".part"))).toEqual([]);
});

test("what is not the expected storage is not read; what failed leaves no file", () => {
  writeFileSync(marker, '{"identity":"y"}\n');
  const { status, stderr } = copy(image);
  expect(status).toBe(1);
  expect(stderr).toMatch(/marker .* does not hold/);
  expect(existsSync(image)).toBe(false);
  expect(copy(join(directory, "none", "image")).stderr).toMatch(/there is no directory/);
});

test("discarding removes the half image beside its place, and no other file", () => {
  mkdirSync(join(staging, `out_${id}`), { recursive: true });
  const half = `${image}.breezeblock-${id}.part`;
  writeFileSync(half, "half");
  execFileSync("ln", ["-s", half, join(staging, `out_${id}`, "part")]);
  expect(run(discardScript, staging, id).status).toBe(0);
  expect(existsSync(half)).toBe(false);
  mkdirSync(join(staging, `out_${id}`), { recursive: true });
  execFileSync("ln", ["-s", source, join(staging, `out_${id}`, "part")]);
  expect(run(discardScript, staging, id).status).toBe(0);
  expect(existsSync(source)).toBe(true);
});

test("an image is removed where it is still what was written, there and here", async () => {
  const other = Buffer.from(content).fill("x", 0, 1);
  const signal = new AbortController().signal;
  const expected = { sizeBytes: content.length, sha256: digest(content) };
  const args = [image, String(content.length), digest(content)];
  expect(run(removeScript, ...args).status).toBe(0);
  await removeLocal(image, expected, signal);
  for (const [bytes, words] of [
    [other, /sha256 checksum/],
    [content.subarray(1), /bytes in place of/],
  ] as const) {
    writeFileSync(image, bytes);
    const refused = run(removeScript, ...args);
    expect(refused.status).toBe(copyOutCodes.differs);
    expect(refused.stderr).toMatch(words);
    await expect(removeLocal(image, expected, signal)).rejects.toThrow(words);
    expect(readFileSync(image).equals(bytes)).toBe(true);
  }
  writeFileSync(image, content);
  expect(run(removeScript, ...args).status).toBe(0);
  expect(existsSync(image)).toBe(false);
  writeFileSync(image, content);
  await removeLocal(image, expected, signal);
  expect(existsSync(image)).toBe(false);
});

test("a file of this machine is whole under its name, or not there", async () => {
  const write = async (bytes: Buffer, sha256: string) => {
    const file = await LocalFile.create(image, id);
    try {
      const sink = file.sink(() => undefined);
      await new Promise<void>((done) => sink.write(bytes, () => done()));
      await file.finish({ sizeBytes: bytes.length, sha256 });
    } finally {
      await file.close();
    }
  };
  await expect(write(content, digest(Buffer.from("other")))).rejects.toThrow(/checksum/);
  expect(existsSync(image)).toBe(false);
  writeFileSync(`${image}.breezeblock-${id}.part`, "of a killed run");
  await write(content, digest(content));
  expect(readFileSync(image).equals(content)).toBe(true);
  await expect(write(content, digest(content))).rejects.toMatchObject({ code: "EEXIST" });
  expect(readdirSync(directory).filter((name) => name.endsWith(".part"))).toEqual([]);
});
