import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { tempDirectory } from "../../../test/support/temp-directory.ts";
import { changeScript, exitCodes } from "./scripts.ts";

/** Runs a script where LVM selects nothing, and the logical volume has these attributes. */
function refused(script: string, attributes: string) {
  const directory = tempDirectory();
  const tool = (name: string, output: string) => {
    writeFileSync(`${directory}/${name}`, `#!/bin/sh\nprintf '%s\\n' '${output}'\n`);
    chmodSync(`${directory}/${name}`, 0o755);
  };
  tool("lvs", `  ${attributes}`);
  tool("lvchange", "");
  const { status, stderr } = spawnSync(
    "sh",
    ["-c", script, "breezeblock", "vg0/db", "lv_uuid=1", "--addtag", "a"],
    {
      encoding: "utf8",
      env: { PATH: `${directory}:${process.env["PATH"]}` },
    },
  );
  return { status, stderr };
}

test("an open logical volume is told as in use, also where it has snapshots, which nobody needs to delete", () => {
  expect(refused(changeScript, "owi-aos---")).toMatchObject({
    status: exitCodes.inUse,
    stderr: expect.stringContaining("in use"),
  });
  expect(refused(changeScript, "owi-a-s---")).toMatchObject({ status: exitCodes.hasSnapshots });
  expect(refused(changeScript, "-wi-a-----")).toMatchObject({ status: exitCodes.changed });
});
