import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { isInstalled } from "./setup.mjs";

const lock = {
  "": { name: "x" },
  "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
  "node_modules/b-darwin": { version: "1.0.0", integrity: "sha512-b", optional: true },
};

function checkout(installed?: object): string {
  const root = mkdtempSync(join(tmpdir(), "breezeblock-setup-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  writeFileSync(join(root, "package-lock.json"), JSON.stringify({ packages: lock }));
  if (installed !== undefined) {
    mkdirSync(join(root, "node_modules/.bin"), { recursive: true });
    writeFileSync(join(root, "node_modules/.bin/node"), "");
    writeFileSync(join(root, "node_modules/.package-lock.json"), JSON.stringify({ packages: installed }));
  }
  return root;
}

describe("isInstalled", () => {
  test("not in a clean clone", () => expect(isInstalled(checkout())).toBe(false));

  test("with everything but what is for other platforms", () =>
    expect(isInstalled(checkout({ "node_modules/a": lock["node_modules/a"] }))).toBe(true));

  test("not with another version", () =>
    expect(isInstalled(checkout({ "node_modules/a": { version: "0.9.0", integrity: "sha512-z" } }))).toBe(
      false,
    ));

  test("not with a package missing", () => expect(isInstalled(checkout({}))).toBe(false));
});
