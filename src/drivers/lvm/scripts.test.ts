import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { tempDirectory } from "../../../test/support/temp-directory.ts";
import { createScript, exitCodes, growScript } from "./scripts.ts";

const selection = 'lv_uuid="old"';

/** Runs a script with stand-ins for LVM's commands, which note their arguments; `lvs` selects what is `found`. */
function run(script: string, args: readonly string[], found: string) {
  const directory = tempDirectory();
  const log = `${directory}/log`;
  for (const command of ["lvs", "lvextend", "lvcreate", "lvchange"]) {
    const answer = command === "lvs" ? `printf %s '${found}'` : "";
    const text = `#!/bin/sh\necho "${command} $*" >>'${log}'\n${answer}\n`;
    writeFileSync(`${directory}/${command}`, text, { mode: 0o755 });
  }
  const { status, stderr } = spawnSync("sh", ["-c", script, "breezeblock", ...args], {
    env: { PATH: `${directory}:${process.env["PATH"]}` },
    encoding: "utf8",
  });
  return { status, stderr, commands: existsSync(log) ? readFileSync(log, "utf8").split("\n") : [] };
}

test.each([
  ["grows", growScript, ["vg0/old", selection, "7"], "lvextend -l 7 vg0/old"],
  [
    "is the origin of a snapshot",
    createScript,
    ["/dev/null", "/dev/vg0/old", selection, "-s", "vg0/old"],
    "lvchange -ay -K vg0/old",
  ],
])(
  "what %s is proven to be still the one that was listed, as others may have given its name away",
  (_, script, args, work) => {
    const proof = `lvs --noheadings -o lv_uuid -S ${selection} vg0/old`;
    const other = run(script, args, "");
    expect(other.status).toBe(exitCodes.changed);
    expect(other.stderr).toContain("vg0/old was changed");
    expect(other.commands.filter((line) => line !== "")).toEqual([proof]);
    const same = run(script, args, "old-uuid");
    expect(same.commands[0]).toBe(proof);
    expect(same.commands).toContain(work);
  },
);
