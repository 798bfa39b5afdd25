import { spawnSync } from "node:child_process";
import { array, assert as check, property, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { displayCommand, quote, quoteAll } from "./quote.ts";

const shells = [["dash"], ["bash"], ["bash", "--posix"], ["busybox", "sh"], ["mksh"]].filter(
  ([command = "", ...flags]) => {
    const isThere = spawnSync(command, [...flags, "-c", ":"]).error === undefined;
    if (!isThere) console.warn(`left out: ${command} is not installed`);
    return isThere;
  },
);
const argument = uint8Array({ min: 1, max: 255, maxLength: 40 });

describe("quote", () => {
  it.each(shells.map((shell) => ({ shell })))(
    "gives back 10,000 generated arguments byte for byte in $shell",
    ({ shell }) => {
      const [command = "", ...flags] = shell;
      check(
        property(array(argument, { minLength: 1_000, maxLength: 1_000 }), (argv) => {
          const script = Buffer.concat([
            Buffer.from("/usr/bin/printf '%s\\0' "),
            quoteAll(argv),
            Buffer.from("\n"),
          ]);
          const { stdout } = spawnSync(command, flags, { input: script, env: { LC_ALL: "C.UTF-8" } });
          const expected = Buffer.concat(argv.flatMap((one) => [one, Buffer.of(0)]));
          expect(stdout.equals(expected)).toBe(true);
        }),
        { numRuns: 10 },
      );
    },
    60_000,
  );

  it("refuses a NUL byte", () => {
    expect(() => quote("a\0b")).toThrow(expect.objectContaining({ kind: "InvalidInput" }));
    expect(() => quote(Uint8Array.of(1, 0))).toThrow(expect.objectContaining({ kind: "InvalidInput" }));
  });
});

describe("displayCommand", () => {
  it("can be pasted into a shell where it is short", () => {
    expect(displayCommand(["lvs", "--options", "lv_name,lv_size", "it's"])).toBe(
      "lvs --options lv_name,lv_size 'it'\\''s'",
    );
  });

  it("masks secrets, also within words", () => {
    expect(displayCommand(["set", "chap=hunter2!"], ["hunter2!"])).not.toContain("hunter2");
  });

  it("is one line of bounded length", () => {
    const text = displayCommand(["sh", "-c", `a\nb${"x".repeat(1_000)}`]);
    expect(text).not.toContain("\n");
    expect(text.length).toBeLessThanOrEqual(300);
  });
});
