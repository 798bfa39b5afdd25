import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { titled } from "../support/availability.ts";
import { findEngine } from "../support/engines.ts";
import { type FaultyProxy, startFaultyProxy } from "../support/faulty-proxy.ts";
import { expectSuccess, PulumiWorkspace, unexpectedChanges } from "../support/pulumi.ts";
import { type StorageDirectory, StorageHost } from "../support/storage.ts";

const pulumi = findEngine("pulumi");
const gib = 2 ** 30;

let host: StorageHost;
let proxy: FaultyProxy;

beforeAll(async () => {
  if (!pulumi.available) return;
  host = await StorageHost.start();
  proxy = await startFaultyProxy(host.ssh);
});

afterAll(async () => {
  await proxy?.stop();
  await host?.stop();
});

/** A workspace of its own on a directory of its own. */
async function start(
  modules: "commonjs" | "esm",
): Promise<{ workspace: PulumiWorkspace; storage: StorageDirectory }> {
  const workspace = await PulumiWorkspace.create({ modules });
  const storage = host.newDirectory();
  // Both spellings are understood; most people will write the first.
  const { private_key_file: privateKeyFile, ...rest } = host.settings;
  workspace.configure({
    "breezeblock:hosts": { lab: { ...rest, privateKeyFile, port: proxy.port, dialAttempts: 1 } },
    "breezeblock:backends": { demo: { host: "lab", file: { directory: storage.path } } },
    "breezeblock:defaultLabels": { managed_by: "pulumi" },
  });
  return { workspace, storage };
}

const database = (size: number, more = "") => `
  const db = new breezeblock.Volume("db", {
    name: "db", backend: "demo", size: ${size}, labels: { app_name: "postgres", "tür": "zu" }, ${more}
  });`;

const copies = `
  const before = new breezeblock.Snapshot("before", { name: "before", volumeId: db.id });
  const copy = new breezeblock.Volume("copy", {
    name: "copy", backend: "demo", size: 3, source: { snapshotId: before.id },
  });
  export const bytes = db.sizeBytes;
  export const found = breezeblock.getVolumeOutput({ id: db.id }).apply(({ name }) => name);`;

describe.skipIf(!pulumi.available)(titled("volumes and snapshots in a Pulumi program", pulumi), () => {
  let storage: StorageDirectory;
  let workspace: PulumiWorkspace;

  beforeAll(async () => {
    ({ storage, workspace } = await start("commonjs"));
  });

  afterAll(() => workspace?.remove());

  it("are created, with nothing left to do afterwards", async () => {
    workspace.program(database(1) + copies);
    expectSuccess(await workspace.run(["up", "--yes"], { PULUMI_NODEJS_TRANSPILE_ONLY: "false" }));
    expect(storage.names()).toEqual(["copy", "db"]);
    expect(storage.names("snapshot")).toEqual(["before"]);
    expect(storage.object("db").labels).toEqual({ app_name: "postgres", tür: "zu" });
    expect(storage.object("db").owner).toMatch(/^shop\/dev\/[0-9a-f]{8}$/);
    expect(await workspace.outputs()).toEqual({ bytes: gib, found: "db" });
    expectSuccess(await workspace.preview("--refresh", "--expect-no-changes"));
  });

  it("leave no secret in state", async () => {
    await workspace.setSecret("breezeblock:hosts.lab.password", "hush-hush");
    const result = expectSuccess(await workspace.up("--diff"));
    expect(result.text).not.toContain("hush-hush");
    expect(await workspace.export()).not.toContain("hush-hush");
  });

  it("leave little in state", async () => {
    const { outputs } = await workspace.resource("db");
    expect(String(outputs["__provider"]).length).toBeLessThan(150);
    expect(outputs["labels"]).toEqual({ app_name: "postgres", tür: "zu" });
    expect(outputs).not.toHaveProperty("source");
  });

  it("grow in place", async () => {
    workspace.program(database(2) + copies);
    expect(await workspace.steps()).toEqual([{ op: "update", name: "db" }]);
    expectSuccess(await workspace.up());
    expect(storage.sizeOf(storage.object("db"))).toBe(2 * gib);
  });

  it("are not shrunk: the preview names the property", async () => {
    const untouched = storage.listing();
    workspace.program(database(1) + copies);
    const result = await workspace.preview();
    expect(result.exitCode).not.toBe(0);
    expect(result.text).toMatch(/error: size: Unable to .*"db"/);
    expect(storage.listing()).toEqual(untouched);
    workspace.program(database(2) + copies);
  });

  it("show drift of labels, which is undone", async () => {
    storage.edit(storage.object("db"), { labels: { app_name: "mysql" } });
    const preview = await workspace.preview("--refresh", "--diff", "--expect-no-changes");
    expect(preview.exitCode).toBe(unexpectedChanges);
    expect(preview.text).toMatch(/app_name: "mysql" +=> "postgres"/);
    expect((await workspace.refresh("--preview-only", "--expect-no-changes")).exitCode).not.toBe(0);
    expectSuccess(await workspace.up("--refresh"));
    expect(storage.object("db").labels).toEqual({ app_name: "postgres", tür: "zu" });
    expectSuccess(await workspace.preview("--refresh", "--expect-no-changes"));
  });

  it("are made anew when they are gone", async () => {
    storage.remove(storage.object("copy"));
    expect(await workspace.steps("--refresh")).toContainEqual({ op: "create", name: "copy" });
    expectSuccess(await workspace.up("--refresh"));
    expect(storage.names()).toEqual(["copy", "db"]);
  });

  it("are left alone, in state too, while their host does not answer", async () => {
    const stateOf = async () =>
      (await workspace.resources()).map(({ urn, id, inputs, outputs }) => ({ urn, id, inputs, outputs }));
    const before = await stateOf();
    await proxy.setFault({ kind: "refuse" });
    proxy.cut();
    try {
      const result = await workspace.refresh();
      expect(result.exitCode).not.toBe(0);
      expect(result.text).toMatch(/error: Unable to connect to/);
      expect(await stateOf()).toEqual(before);
    } finally {
      await proxy.setFault({ kind: "none" });
    }
  });

  it("are destroyed in the right order, with nothing left", async () => {
    expectSuccess(await workspace.destroy());
    expect(storage.leftBehind()).toEqual([]);
  });
});

describe.skipIf(!pulumi.available)(titled("a Pulumi program in ES modules", pulumi), () => {
  it("creates, and finds nothing left to do", async () => {
    const { workspace, storage } = await start("esm");
    try {
      workspace.program(database(1));
      expectSuccess(await workspace.run(["up", "--yes"], { PULUMI_NODEJS_TRANSPILE_ONLY: "false" }));
      expectSuccess(await workspace.preview("--expect-no-changes"));
      expectSuccess(await workspace.destroy());
      expect(storage.leftBehind()).toEqual([]);
    } finally {
      workspace.remove();
    }
  });
});

describe.skipIf(!pulumi.available)(titled("adoption", pulumi), () => {
  it("takes over a volume with its data, and leaves no trace in the next preview", async () => {
    const { workspace, storage } = await start("commonjs");
    try {
      workspace.program(database(1));
      expectSuccess(await workspace.up());
      storage.writeData(storage.object("db"), "precious");
      const { id } = await workspace.resource("db");
      expectSuccess(await workspace.run(["state", "delete", "--all", "--yes"]));

      workspace.program(database(2, `adopt: "demo/db",`));
      expectSuccess(await workspace.up());
      expect((await workspace.resource("db")).id).toBe(id);
      expect(storage.sizeOf(storage.object("db"))).toBe(2 * gib);
      expect(storage.readData(storage.object("db"), 8)).toBe("precious");
      expectSuccess(await workspace.preview("--refresh", "--expect-no-changes"));
      workspace.program(database(2));
      expectSuccess(await workspace.preview("--expect-no-changes"));
    } finally {
      workspace.remove();
    }
  });
});

describe.skipIf(!pulumi.available)(titled("a replacement", pulumi), () => {
  it("removes the old object before it makes the new one of the same name", async () => {
    const { workspace, storage } = await start("commonjs");
    const program = (of: string) => `${database(1)}
      const other = new breezeblock.Volume("other", { name: "other", backend: "demo", size: 1 });
      new breezeblock.Snapshot("kept", { name: "kept", volumeId: ${of}.id });`;
    try {
      workspace.program(program("db"));
      expectSuccess(await workspace.up());
      workspace.program(program("other"));
      expectSuccess(await workspace.up());
      expect(storage.names("snapshot")).toEqual(["kept"]);
      expect(storage.object("kept", "snapshot")["volumeId"]).toBe(storage.object("other").id);
      const { id, urn } = await workspace.resource("other");
      expectSuccess(await workspace.up("--replace", urn));
      expect((await workspace.resource("other")).id).not.toBe(id);
      expect(storage.names()).toEqual(["db", "other"]);
      expect(storage.object("kept", "snapshot")["volumeId"]).toBe(storage.object("other").id);
      expectSuccess(await workspace.destroy());
      expect(storage.leftBehind()).toEqual([]);
    } finally {
      workspace.remove();
    }
  });
});

describe.skipIf(!pulumi.available)(titled("an upgrade of the package", pulumi), () => {
  it("takes effect for what is in state already", async () => {
    const { workspace } = await start("commonjs");
    try {
      workspace.program(database(1));
      expectSuccess(await workspace.up());
      const runtime = "node_modules/breezeblock/dist/pulumi/runtime.cjs";
      const upgrade = `module.exports.runtime.hooks = () => ({ read: async () => { throw new Error("read by the upgrade"); } });`;
      workspace.write(runtime, `${workspace.read(runtime)}\n${upgrade}\n`);
      expect((await workspace.refresh()).text).toContain("error: read by the upgrade");
    } finally {
      workspace.remove();
    }
  });
});
