import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repositoryFile } from "../../scripts/build-terraform.ts";
import { titled } from "../support/availability.ts";
import { findEngine } from "../support/engines.ts";
import { expectSuccess, PulumiWorkspace } from "../support/pulumi.ts";
import { type StorageDirectory, StorageHost } from "../support/storage.ts";

const pulumi = findEngine("pulumi");

describe.skipIf(!pulumi.available)(titled("examples with pulumi", pulumi), () => {
  let host: StorageHost;
  let storage: StorageDirectory;
  let workspace: PulumiWorkspace;

  beforeAll(async () => {
    host = await StorageHost.start();
    storage = host.newDirectory();
    workspace = await PulumiWorkspace.create({ project: "examples" });
  });

  afterAll(async () => {
    workspace?.remove();
    await host?.stop();
  });

  /** Runs a program through its life on a backend of that name. */
  async function lifeOf(file: string, hostName: string, backend: string, volumes: readonly string[]) {
    workspace.write("index.ts", readFileSync(repositoryFile(file), "utf8"));
    workspace.configure({
      "breezeblock:hosts": { [hostName]: host.settings },
      "breezeblock:backends": { [backend]: { host: hostName, file: { directory: storage.path } } },
    });
    expectSuccess(await workspace.up());
    expect(storage.names()).toEqual(volumes);
    expectSuccess(await workspace.preview("--refresh", "--expect-no-changes"));
    expectSuccess(await workspace.destroy());
    expect(storage.leftBehind()).toEqual([]);
  }

  test("minimal", () => lifeOf("examples/minimal/index.ts", "san1", "fast", ["db"]));

  test("docs/reference: what it shows has the right types", async () => {
    const blocks = readdirSync(repositoryFile("docs/reference")).flatMap((page) => {
      const text = readFileSync(repositoryFile(`docs/reference/${page}`), "utf8");
      return [...text.matchAll(/```typescript\n([\s\S]*?)```/g)].map(([, block = ""]) => block);
    });
    expect(blocks.length).toBeGreaterThan(5);
    const functions = blocks.map((block) => {
      const parameter = block.includes("const db = ") ? "" : "db: breezeblock.Volume";
      return `async (${parameter}) => {\n${block}}`;
    });
    workspace.program(`export const examples = [${functions.join(",\n")}];`);
    const tsc = repositoryFile("node_modules/typescript/bin/tsc");
    const args = [
      tsc,
      "--noEmit",
      "--strict",
      "--skipLibCheck",
      "--module",
      "nodenext",
      "--target",
      "es2022",
    ];
    const { stdout } = await promisify(execFile)(process.execPath, [...args, "--ignoreConfig", "index.ts"], {
      cwd: workspace.directory,
    }).catch((error) => error);
    expect(stdout).toBe("");
  });
});
