import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packedPackage, programsDirectory, unpackPackage } from "../support/pulumi-package.ts";

const execute = promisify(execFile);

const source = `
import * as pulumi from "@pulumi/pulumi";
import * as breezeblock from "breezeblock/pulumi";
import { evaluate, fits, matchesExtraSpec, type Fit } from "breezeblock/scheduler";
const db = new breezeblock.Volume("db", { name: pulumi.output("db"), backend: "demo", size: 1, labels: { a: pulumi.output("b") } });
const snapshot = new breezeblock.Snapshot("before", { name: "before", volumeId: db.id });
const copy = new breezeblock.Volume("copy", { name: "copy", backend: "demo", source: { snapshotId: snapshot.id }, adopt: "demo/copy" });
export const bytes: pulumi.Output<number> = copy.sizeBytes;
export const path: pulumi.Output<string | undefined> = copy.devicePath;
export const found: Promise<breezeblock.GetVolumeResult> = breezeblock.getVolume({ backend: "demo", name: "db" });
export const room: Fit = fits({ total_capacity_gb: 10, free_capacity_gb: "unknown" }, { size_gb: 1, extra_specs: {} });
export const value: number | string | boolean = evaluate("volume.size", { volume: { size: 1 } });
export const met: boolean = matchesExtraSpec(["a"], "<in> a");
// @ts-expect-error a size is a number
new breezeblock.Volume("wrong", { name: "wrong", backend: "demo", size: "1" });
// @ts-expect-error there is no such property
new breezeblock.Volume("wrong", { name: "wrong", backend: "demo", sizes: 1 });
`;

describe("the npm package", () => {
  let programs: string;
  let directory: string;

  beforeAll(async () => {
    programs = await programsDirectory();
    directory = mkdtempSync(join(programs, "package-"));
    await unpackPackage(await packedPackage(), directory);
  });

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  function run(file: string, ...args: readonly string[]): Promise<string> {
    return execute(process.execPath, [file, ...args], { cwd: directory }).then(
      ({ stdout }) => stdout,
      (error: { stdout?: string; stderr?: string }) => `${error.stdout}${error.stderr}`,
    );
  }

  const commonjs = { module: "commonjs", moduleResolution: "node", target: "es2020" };
  it.for([
    ["TypeScript 5, Pulumi's classic template", "typescript", commonjs, "commonjs"],
    [
      "TypeScript 6, Pulumi's classic template",
      "typescript-6",
      { ...commonjs, ignoreDeprecations: "6.0" },
      "commonjs",
    ],
    ["TypeScript 5, node resolution from CommonJS", "typescript", { module: "nodenext" }, "commonjs"],
    ["TypeScript 5, ES modules", "typescript", { module: "nodenext" }, "module"],
    ["TypeScript 6, ES modules", "typescript-6", { module: "nodenext" }, "module"],
    ["a bundler's resolution", "typescript", { module: "esnext", moduleResolution: "bundler" }, "module"],
  ] as const)("has types for %s", async ([, compiler, options, type]) => {
    writeFileSync(join(directory, "package.json"), JSON.stringify({ type }));
    writeFileSync(join(directory, "index.ts"), source);
    const compilerOptions = { strict: true, noEmit: true, types: ["node"], ...options };
    writeFileSync(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["index.ts"] }));
    expect(await run(join(programs, "node_modules", compiler, "bin/tsc"), "-p", ".")).toBe("");
  });

  it("loads by require and by import, without the provider behind the classes", async () => {
    const print = "console.log(Object.keys(b).includes('Volume'), process.uptime() > 0)";
    writeFileSync(join(directory, "a.cjs"), `const b = require("breezeblock/pulumi"); ${print};`);
    writeFileSync(join(directory, "a.mjs"), `import * as b from "breezeblock/pulumi"; ${print};`);
    expect(await run("a.cjs")).toBe("true true\n");
    expect(await run("a.mjs")).toBe("true true\n");
    const loaded = `require("breezeblock/pulumi"); console.log(Object.keys(require.cache).filter((f) => /runtime\\.cjs|ssh2/.test(f)))`;
    writeFileSync(join(directory, "b.cjs"), loaded);
    expect(await run("b.cjs")).toBe("[]\n");
  });

  it("has the library, the scheduler and the command", async () => {
    writeFileSync(
      join(directory, "c.mjs"),
      `import { StorageError, Fleet } from "breezeblock"; console.log(typeof StorageError, typeof Fleet);`,
    );
    expect(await run("c.mjs")).toBe("function function\n");
    writeFileSync(
      join(directory, "d.mjs"),
      `import { evaluate, ExpressionError, fits, matchesExtraSpec } from "breezeblock/scheduler";
       console.log(evaluate("volume.size * 2", { volume: { size: 4 } }), matchesExtraSpec(5, ">= 5"));
       console.log(fits({ total_capacity_gb: 10, free_capacity_gb: 4 }, { size_gb: 5, extra_specs: {} }).fits);
       try { evaluate("1 / 0", {}); } catch (error) { console.log(error instanceof ExpressionError, error.column); }`,
    );
    expect(await run("d.mjs")).toBe("8 true\nfalse\ntrue 3\n");
    expect(await run("node_modules/breezeblock/dist/cli/breezeblock.js", "--help")).toMatch(
      /^Usage: breezeblock/,
    );
  });
});
