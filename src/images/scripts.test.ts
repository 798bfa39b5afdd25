import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { cleanScript, exitCodes, prepareScript, stageScript } from "./scripts.ts";

const id = "00000000-0000-4000-8000-000000000001";
const other = "00000000-0000-4000-8000-000000000002";

function staging(): string {
  const directory = mkdtempSync(join(tmpdir(), "breezeblock-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, id));
  return directory;
}

function run(script: string, ...args: string[]) {
  return spawnSync("sh", ["-c", script, "breezeblock", ...args], { encoding: "utf8", input: "" });
}

test("what grows without end when it is decompressed is stopped at the limit", () => {
  const directory = staging();
  writeFileSync(join(directory, id, "image.part"), gzipSync(Buffer.alloc(8 * 1024 ** 2)));
  const bytes = String(gzipSync(Buffer.alloc(8 * 1024 ** 2)).length);
  const { status, stderr } = run(
    stageScript,
    ...[directory, id, "uploaded", "", bytes, "none", "", "gzip", "1048576"],
  );
  expect(status).toBe(exitCodes.unacceptable);
  expect(stderr).toMatch(/decompressed it has more than 1048576 bytes/);
  expect(readdirSync(join(directory, id))).not.toContain("disk");
});

test("what arrived in part is not taken for whole", () => {
  const directory = staging();
  writeFileSync(join(directory, id, "image.part"), "half");
  const { status, stderr } = run(
    stageScript,
    directory,
    id,
    "uploaded",
    "",
    "8",
    "none",
    "",
    "none",
    "1048576",
  );
  expect(status).toBe(1);
  expect(stderr).toMatch(/4 bytes of it arrived, and 8 were sent/);
});

test("images of volumes that are not being made any more are removed, and nothing else", () => {
  const directory = staging();
  for (const name of [other, "somebody-else-s-directory-here"]) {
    mkdirSync(join(directory, name));
    writeFileSync(join(directory, name, name === other ? "disk" : "precious"), "");
  }
  writeFileSync(join(directory, id, "disk"), "");
  rmSync(join(directory, "somebody-else-s-directory-here"), { recursive: true });
  expect(run(prepareScript, directory, id, id).status).toBe(0);
  expect(readdirSync(directory)).toEqual([id]);
  expect(readdirSync(join(directory, id)).sort()).toEqual(["disk", "url"]);
  mkdirSync(join(directory, other));
  writeFileSync(join(directory, other, "precious"), "");
  expect(run(cleanScript, directory, other).status).not.toBe(0);
  expect(readdirSync(join(directory, other))).toEqual(["precious"]);
});
