import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { titled } from "../support/availability.ts";
import { findEngine } from "../support/engines.ts";
import { expectSuccess, PulumiWorkspace, unexpectedChanges } from "../support/pulumi.ts";
import { type StorageDirectory, StorageHost } from "../support/storage.ts";

const pulumi = findEngine("pulumi");
const gib = 2 ** 30;

describe.skipIf(!pulumi.available).for(["commonjs", "esm"] as const)(
  titled("a Pulumi program, %s", pulumi),
  (modules) => {
    let host: StorageHost;
    let storage: StorageDirectory;
    let workspace: PulumiWorkspace;

    beforeAll(async () => {
      host = await StorageHost.start();
      storage = host.newDirectory();
      workspace = await PulumiWorkspace.create({ modules });
      const { private_key_file: privateKeyFile, host_key: hostKey, ...rest } = host.settings;
      workspace.configure({
        "breezeblock:hosts": { lab: { ...rest, privateKeyFile, host_key: hostKey } },
        "breezeblock:backends": { demo: { host: "lab", file: { directory: storage.path } } },
        "breezeblock:defaultLabels": { managed_by: "pulumi" },
      });
    });

    afterAll(async () => {
      await host?.stop();
      workspace?.remove();
    });

    const program = (size: number, more = "") => `
      const db = new breezeblock.Volume("db", {
        name: "db", backend: "demo", size: ${size}, labels: { app_name: "postgres", "tür": "zu" },
      });
      const before = new breezeblock.Snapshot("before", { name: "before", volumeId: db.id });
      const copy = new breezeblock.Volume("copy", {
        name: "copy", backend: "demo", size: 3, source: { snapshotId: before.id },
      });
      export const bytes = db.sizeBytes;
      export const location = copy.providerLocation;
      ${more}`;

    it("creates, with nothing left to do afterwards", async () => {
      workspace.program(program(1));
      expectSuccess(await workspace.run(["up", "--yes"], { PULUMI_NODEJS_TRANSPILE_ONLY: "false" }));
      expect(storage.names()).toEqual(["copy", "db"]);
      expect(storage.names("snapshot")).toEqual(["before"]);
      expect(storage.object("db").labels).toEqual({ app_name: "postgres", tür: "zu" });
      expect(await workspace.outputs()).toMatchObject({ bytes: gib });
      expectSuccess(await workspace.preview("--refresh", "--expect-no-changes"));
      expectSuccess(await workspace.preview("--expect-no-changes"));
    });

    it("keeps little in state", async () => {
      const { outputs } = await workspace.resource("db");
      expect(String(outputs["__provider"]).length).toBeLessThan(150);
      expect(outputs["labels"]).toEqual({ app_name: "postgres", tür: "zu" });
      expect(outputs).not.toHaveProperty("source");
    });

    it("grows in place", async () => {
      workspace.program(program(2));
      expect(await workspace.steps()).toEqual([{ op: "update", name: "db" }]);
      expectSuccess(await workspace.up());
      expect(storage.sizeOf(storage.object("db"))).toBe(2 * gib);
    });

    it("refuses to shrink in preview, naming the property", async () => {
      const untouched = storage.listing();
      workspace.program(program(1));
      const result = await workspace.preview();
      expect(result.exitCode).not.toBe(0);
      expect(result.text).toMatch(/error: size: Unable to .*"db"/);
      expect(storage.listing()).toEqual(untouched);
    });
  },
);
void unexpectedChanges;
