import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { bootScript } from "./boot.ts";
import * as filesystem from "./filesystem/scripts.ts";
import * as iscsi from "./iscsi/scripts.ts";
import * as local from "./local/scripts.ts";
import * as nvme from "./nvme/scripts.ts";

const scripts = Object.entries({ ...iscsi, ...nvme, ...local, ...filesystem, bootScript }).filter(([name]) =>
  /[sS]cript$/.test(name),
);

describe("scripts", () => {
  test.each(scripts)("%s is POSIX sh as far as a shell can tell", (_, text) => {
    expect(text.length).toBeGreaterThan(100);
    // A single argument of a command holds 128 KiB.
    expect(text.length).toBeLessThan(65_536);
    const { status, stderr } = spawnSync("sh", ["-n"], { input: text, encoding: "utf8" });
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });
});
