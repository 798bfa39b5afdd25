import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { repositoryFile } from "../../scripts/build-terraform.ts";
import { titled } from "../support/availability.ts";
import { findEngine } from "../support/engines.ts";
import { expectSuccess, PulumiWorkspace } from "../support/pulumi.ts";
import { type StorageDirectory, StorageHost } from "../support/storage.ts";

const pulumi = findEngine("pulumi");
const gib = 2 ** 30;

function example(file: string): string {
  return readFileSync(repositoryFile(`examples/quickstart/pulumi/${file}`), "utf8");
}

describe.skipIf(!pulumi.available)(titled("examples/quickstart/pulumi", pulumi), () => {
  let host: StorageHost;
  let storage: StorageDirectory;
  let workspace: PulumiWorkspace;

  beforeAll(async () => {
    host = await StorageHost.start();
    storage = host.newDirectory();
    const { name } = parse(example("Pulumi.yaml")) as { name: string };
    workspace = await PulumiWorkspace.create({ project: name, checkTypes: true });
    for (const file of ["index.ts", "Pulumi.yaml", "package.json", "tsconfig.json"])
      workspace.write(file, example(file));
    workspace.configure({
      "breezeblock:hosts": { storage: host.settings },
      "breezeblock:backends": { demo: { host: "storage", file: { directory: storage.path } } },
    });
  });

  afterAll(async () => {
    await host?.stop();
    workspace?.remove();
  });

  it("makes a volume, its snapshot, a larger copy, a clone and an attachment, and then finds nothing to do", async () => {
    expectSuccess(await workspace.up());
    expect(storage.names()).toEqual(["clone", "data", "restored"]);
    expect(storage.sizeOf(storage.object("restored"))).toBe(3 * gib);
    expect(storage.object("data").attachments).toHaveLength(1);
    expect(await workspace.outputs()).toMatchObject({ sizeBytes: gib, device: expect.any(String) as string });
    expectSuccess(await workspace.preview("--refresh", "--expect-no-changes"));
  });

  it("grows the volume by configuration, and removes everything in the right order", async () => {
    workspace.configure({ "breezeblock-quickstart:size": "2" });
    expectSuccess(await workspace.up());
    expect(storage.sizeOf(storage.object("data"))).toBe(2 * gib);
    expectSuccess(await workspace.destroy());
    expect(storage.leftBehind()).toEqual([]);
  });
});
