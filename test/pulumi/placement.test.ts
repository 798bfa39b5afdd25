import { statfsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { titled } from "../support/availability.ts";
import { findEngine } from "../support/engines.ts";
import { expectSuccess, PulumiWorkspace } from "../support/pulumi.ts";
import { type StorageDirectory, StorageHost } from "../support/storage.ts";

const pulumi = findEngine("pulumi");

describe.skipIf(!pulumi.available)(titled("volumes without a backend in a Pulumi program", pulumi), () => {
  let host: StorageHost;
  let workspace: PulumiWorkspace;
  let a: StorageDirectory;
  let b: StorageDirectory;
  let most: number;

  beforeAll(async () => {
    host = await StorageHost.start();
    workspace = await PulumiWorkspace.create();
    [a, b] = [host.newDirectory(), host.newDirectory()];
    const { bfree, bsize } = statfsSync(a.path);
    most = Math.floor((bfree * bsize * 0.6) / 2 ** 30);
    configure({});
  });

  afterAll(async () => {
    await workspace?.remove();
    await host?.stop();
  });

  function configure(settings: object): void {
    const backend = (directory: StorageDirectory) => ({
      host: "lab",
      file: { directory: directory.path },
      maxOverSubscriptionRatio: 1,
    });
    workspace.configure({
      "breezeblock:hosts": { lab: host.settings },
      "breezeblock:backends": { a: { ...backend(a), ...settings }, b: backend(b) },
    });
  }

  const volumes = (...names: readonly string[]) =>
    names
      .map(
        (name) => `
  const ${name} = new breezeblock.Volume("${name}", { name: "${name}", size: ${most} });`,
      )
      .join("");

  it("are refused in the preview where their sum has no room", async () => {
    workspace.program(volumes("one", "two", "three"));
    const refused = await workspace.preview();
    expect(refused.exitCode).not.toBe(0);
    expect(refused.text).toMatch(/fits on none of the backends.*- a: .*GiB are needed.*- b: /s);
  });

  it("are shown where they would go, and are made there", async () => {
    workspace.program(volumes("one", "two"));
    const preview = expectSuccess(await workspace.preview("--diff"));
    expect([...preview.text.matchAll(/\bbackend *: "([ab])"/g)].map(([, name]) => name).sort()).toEqual([
      "a",
      "b",
    ]);
    expectSuccess(await workspace.up());
    expect([a.names().length, b.names().length]).toEqual([1, 1]);
    const { outputs } = await workspace.resource("one");
    expect(outputs["backend"]).toBe(a.names().includes("one") ? "a" : "b");
  });

  it("stay there, whatever is measured and configured later", async () => {
    configure({ reservedPercentage: 100, filterFunction: "volume.size < 1" });
    expectSuccess(await workspace.preview("--expect-no-changes"));
    expectSuccess(await workspace.preview("--refresh", "--expect-no-changes"));
    expectSuccess(await workspace.run(["destroy", "--yes"]));
    expect([a.names(), b.names()]).toEqual([[], []]);
  });
});
