import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { cleanScript, exitCodes, fillScript, prepareScript, stageScript, uploadScript } from "./scripts.ts";

const id = "00000000-0000-4000-8000-000000000001";
const other = "00000000-0000-4000-8000-000000000002";

function staging(): string {
  const directory = mkdtempSync(join(tmpdir(), "breezeblock-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, id));
  writeFileSync(join(directory, id, "run"), "mine\n");
  return directory;
}

function run(script: string, ...args: string[]) {
  return spawnSync("sh", ["-c", script, "breezeblock", ...args], { encoding: "utf8", input: "" });
}

test("what grows without end when it is decompressed is stopped at the limit", () => {
  const directory = staging();
  writeFileSync(join(directory, id, "upload.mine"), gzipSync(Buffer.alloc(8 * 1024 ** 2)));
  const bytes = String(gzipSync(Buffer.alloc(8 * 1024 ** 2)).length);
  const { status, stderr } = run(
    stageScript,
    ...[directory, id, "uploaded", "mine", bytes, "none", "", "gzip", "1048576"],
  );
  expect(status).toBe(exitCodes.unacceptable);
  expect(stderr).toMatch(/decompressed it has more than 1048576 bytes/);
  expect(readdirSync(join(directory, id))).not.toContain("disk");
});

test("what arrived in part is not taken for whole", () => {
  const directory = staging();
  writeFileSync(join(directory, id, "upload.mine"), "half");
  const { status, stderr } = run(
    stageScript,
    directory,
    id,
    "uploaded",
    "mine",
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
  expect(run(prepareScript, directory, id, "mine", "keep", id).status).toBe(0);
  expect(readdirSync(directory)).toEqual([id]);
  expect(readdirSync(join(directory, id)).sort()).toEqual(["disk", "run", "url"]);
  mkdirSync(join(directory, other));
  writeFileSync(join(directory, other, "precious"), "");
  expect(run(cleanScript, directory, other).status).not.toBe(0);
  expect(readdirSync(join(directory, other))).toEqual(["precious"]);
});

test("what a run begins after another has taken over does nothing", () => {
  const directory = staging();
  const place = join(directory, id);
  writeFileSync(join(place, "disk"), "whole");
  writeFileSync(join(place, "upload.mine"), "sent");
  expect(run(prepareScript, directory, id, "theirs", "keep", id).status).toBe(0);
  const target = join(directory, "volume.raw");
  const target_ = ["file", target, join(place, "url"), "", "raw"];
  const late = [
    run(uploadScript, directory, id, "mine", "1048576"),
    run(stageScript, ...[directory, id, "uploaded", "mine", "4", "none", "", "none", "1048576"]),
    run(fillScript, ...[place, "mine", "raw", "5", ...target_]),
  ];
  expect(late.map(({ status }) => status)).toEqual(late.map(() => exitCodes.takenOver));
  expect(readdirSync(place).sort()).toEqual(["disk", "run", "url"]);
  expect(readdirSync(directory)).toEqual([id]);
});

test("a disk that somebody may have looked at already is not exchanged", () => {
  const directory = staging();
  const place = join(directory, id);
  const image = join(directory, "image");
  writeFileSync(image, "another");
  // The checksum is what takes its time: meanwhile another run brings the disk.
  const tools = join(directory, "tools");
  mkdirSync(tools);
  const slow = `#!/bin/sh\nprintf looked-at > '${place}/disk'\necho said -\n`;
  writeFileSync(join(tools, "sha256sum"), slow, { mode: 0o755 });
  const args = [directory, id, "path", image, "", "sha256", "said", "none", "1048576"];
  const { status } = spawnSync("sh", ["-c", stageScript, "breezeblock", ...args], {
    env: { PATH: `${tools}:${process.env["PATH"]}` },
  });
  expect(status).toBe(0);
  expect(readFileSync(join(place, "disk"), "utf8")).toBe("looked-at");
  expect(readdirSync(place).sort()).toEqual(["disk", "run"]);
});
