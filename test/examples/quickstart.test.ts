import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { repositoryFile } from "../../scripts/build-terraform.ts";
import { titled } from "../support/availability.ts";
import { engines, findEngine } from "../support/engines.ts";
import { tempDirectory } from "../support/temp-directory.ts";

interface Quickstart {
  readonly child: ChildProcess;
  /** Where it keeps whatever it needs. */
  readonly temporary: string;
  /** What it has printed so far. */
  output(): string;
  readonly exitCode: Promise<number | null>;
}

/** Starts the quickstart of this checkout as `npm run quickstart` does. @param searchPath where engines are looked for */
function start(args: readonly string[], searchPath = process.env["PATH"] ?? ""): Quickstart {
  const temporary = tempDirectory();
  let text = "";
  const child = spawn(process.execPath, [repositoryFile("scripts/run.mjs"), "quickstart", ...args], {
    env: { ...process.env, PATH: searchPath, TMPDIR: temporary },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const { pid } = child;
  onTestFinished(() => {
    if (child.exitCode === null && pid !== undefined) process.kill(-pid, "SIGKILL");
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
  }
  const exitCode = new Promise<number | null>((resolve) => child.on("close", resolve));
  return { child, temporary, output: () => text, exitCode };
}

/** Resolves once `text` has been printed, or the quickstart has ended. */
async function printed({ child, output, exitCode }: Quickstart, text: string): Promise<void> {
  const seen = new Promise<void>((resolve) => {
    const look = () => {
      if (output().includes(text)) resolve();
    };
    child.stdout?.on("data", look);
    look();
  });
  await Promise.race([seen, exitCode]);
}

for (const engine of engines) {
  const found = findEngine(engine);
  describe.skipIf(!found.available)(titled(`npm run quickstart with ${engine}`, found), () => {
    test("proves every step and leaves nothing behind", { timeout: 300_000 }, async () => {
      const quickstart = start(["--engine", engine]);
      expect(await quickstart.exitCode, quickstart.output()).toBe(0);
      expect(quickstart.output()).toMatch(/9\. Destroy everything[\s\S]*ok: no volume, no snapshot/);
      expect(readdirSync(quickstart.temporary)).toEqual([]);
    });
  });
}

const first = engines.find((engine) => findEngine(engine).available);

test.skipIf(first === undefined)(
  titled("interrupted, it tidies up", first === undefined ? findEngine("terraform") : findEngine(first)),
  async () => {
    const quickstart = start([]);
    await printed(quickstart, "2. Plan again");
    const { pid } = quickstart.child;
    // As a terminal does: the whole group.
    if (pid !== undefined) process.kill(-pid, "SIGINT");
    expect(await quickstart.exitCode, quickstart.output()).toBe(130);
    expect(readdirSync(quickstart.temporary)).toEqual([]);
  },
);

test("a step that is not proven stops it, with all that the engine said", async () => {
  const directory = tempDirectory();
  const idle = '#!/bin/sh\n[ "$1" = version ] && echo "OpenTofu v0.0.0" || echo "Nothing was done."\n';
  writeFileSync(join(directory, "tofu"), idle, { mode: 0o755 });
  const quickstart = start(["--engine", "tofu"], `${directory}:${process.env["PATH"]}`);
  expect(await quickstart.exitCode).toBe(1);
  expect(quickstart.output()).toMatch(/stops here. This should be so, and is not: the host has one volume/);
  expect(readdirSync(quickstart.temporary)).toEqual([]);
});

describe("npm run quickstart without an engine", () => {
  /** A PATH with Node.js and nothing else. */
  function bare(): string {
    const directory = join(tempDirectory(), "bin");
    mkdirSync(directory);
    symlinkSync(process.execPath, join(directory, "node"));
    return [directory, dirname(repositoryFile("node_modules/.bin/esbuild"))].join(":");
  }

  test("says how to get each, in one line each", async () => {
    const quickstart = start([], bare());
    expect(await quickstart.exitCode).toBe(1);
    for (const engine of engines) {
      expect(quickstart.output()).toMatch(new RegExp(`^ +${engine} +.*https://`, "m"));
    }
  });

  test("says how to get the one that is asked for", async () => {
    const quickstart = start(["--engine", "tofu"], bare());
    expect(await quickstart.exitCode).toBe(1);
    expect(quickstart.output()).toMatch(/tofu is not on PATH/);
    expect(quickstart.output()).not.toMatch(/^ +pulumi /m);
  });

  test("does not know others", async () => {
    const quickstart = start(["--engine", "ansible"]);
    expect(await quickstart.exitCode).toBe(2);
    expect(quickstart.output()).toMatch(/There is no engine "ansible"/);
  });
});
