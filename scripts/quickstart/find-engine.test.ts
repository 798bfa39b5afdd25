import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findEngine } from "./find-engine.ts";

function directoryWith(...commands: readonly string[]): string {
  const directory = mkdtempSync(join(tmpdir(), "breezeblock-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const command of commands) writeFileSync(join(directory, command), "", { mode: 0o755 });
  return directory;
}

test("the first of pulumi, tofu and terraform, wherever on PATH it is", () => {
  const [first, second] = [directoryWith("terraform"), directoryWith("tofu")];
  expect(findEngine(undefined, `${first}:${second}`)).toEqual({ name: "tofu", path: join(second, "tofu") });
});

test("the one that is asked for", () => {
  const directory = directoryWith("tofu", "terraform");
  expect(findEngine("terraform", directory).name).toBe("terraform");
});

test("without any, says how to get each, in a line each", () => {
  expect(() => findEngine(undefined, directoryWith())).toThrow(
    /pulumi +\S.*\n +tofu +\S.*\n +terraform +\S.*\n$/,
  );
});

test("without the one that is asked for, says how to get it", () => {
  expect(() => findEngine("tofu", directoryWith("terraform"))).toThrow(/^tofu is not on PATH.*\n\n {2}tofu /);
});
