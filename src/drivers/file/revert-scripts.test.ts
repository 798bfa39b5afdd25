import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { tempDirectory } from "../../../test/support/temp-directory.ts";
import { revertMarkScript } from "./scripts.ts";

test("a volume is not put back where its copy would fill the disk, and nothing is marked", () => {
  const directory = tempDirectory();
  mkdirSync(`${directory}/.breezeblock/creating`, { recursive: true });
  mkdirSync(`${directory}/.breezeblock/jobs`);
  writeFileSync(`${directory}/.breezeblock/identity`, '{"identity":"here"}\n');
  writeFileSync(`${directory}/snapshot-s.raw`, "old");
  writeFileSync(`${directory}/volume-v.raw`, "new");
  writeFileSync(`${directory}/volume-v.json`, "as it is\n");
  const mark = (sizeBytes: number) =>
    spawnSync(
      "sh",
      [
        ...["-c", revertMarkScript, "breezeblock", directory, "here"],
        ...["snapshot-s.raw", "volume-v", "raw", "thick", String(sizeBytes)],
      ],
      { encoding: "utf8", input: "as it is\nmarked\n" },
    );
  expect(mark(2 ** 52)).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/No space left on device: copying snapshot-s\.raw takes \d+ bytes/),
  });
  expect(readFileSync(`${directory}/volume-v.json`, "utf8")).toBe("as it is\n");
  expect(existsSync(`${directory}/.breezeblock/creating/volume-v.raw`)).toBe(false);
  expect(mark(3)).toMatchObject({ status: 0 });
  expect(readFileSync(`${directory}/volume-v.json`, "utf8")).toBe("marked\n");
});
