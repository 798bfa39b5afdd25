import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ServedProvider, serveForTest } from "../../providers/terraform/index.ts";
import { provider } from "../../resources/index.ts";
import { repositoryFile } from "../../scripts/build-terraform.ts";
import { titled } from "../support/availability.ts";
import { findEngine } from "../support/engines.ts";
import { needs } from "../support/file-backend.ts";
import { makeQcow2 } from "../support/images.ts";
import { StorageHost } from "../support/storage.ts";
import { type TerraformEngine, TerraformWorkspace, terraformEngines } from "../support/terraform.ts";
import { copyExample, minimalExample } from "./example-files.ts";

let host: StorageHost;
let served: ServedProvider;

beforeAll(async () => {
  host = await StorageHost.start();
  served = await serveForTest(provider, { log: () => undefined });
});

afterAll(async () => {
  await served?.close();
  await host?.stop();
});

/** A workspace whose configuration states itself where the provider comes from. */
function workspaceOf(engine: TerraformEngine): TerraformWorkspace {
  const workspace = new TerraformWorkspace({ engine, provider: { reattach: served.reattach } });
  workspace.write("", "versions.tf");
  return workspace;
}

for (const engine of terraformEngines) {
  const found = findEngine(engine);
  describe.skipIf(!found.available)(titled(`examples with ${engine}`, found), () => {
    test("quickstart/terraform: applied whole, grown, destroyed", async () => {
      const storage = host.newDirectory();
      const terraform = workspaceOf(engine);
      copyExample("quickstart/terraform", terraform.directory);
      terraform.write(
        JSON.stringify({ storage_host: host.settings, directory: storage.path }),
        "terraform.tfvars.json",
      );
      await terraform.applied();
      expect(storage.names()).toEqual(["clone", "data", "restored"]);
      expect(storage.names("snapshot")).toEqual(["before-upgrade"]);
      await terraform.expectNoChanges();
      expect(await terraform.actions("-var=size=2")).toEqual({
        "breezeblock_attachment.data": "update",
        "breezeblock_volume.data": "update",
      });
      await terraform.applied("-var=size=2");
      await terraform.destroyed("-var=size=2");
      expect(storage.leftBehind()).toEqual([]);
    });

    test("adoption: disks that somebody made are adopted, and given back", async () => {
      const storage = host.newDirectory();
      const content = { "web.img": "precious", "db.img": "more precious" };
      for (const [name, text] of Object.entries(content)) {
        writeFileSync(`${storage.path}/${name}`, Buffer.alloc(2 ** 20, text));
      }
      writeFileSync(`${storage.path}/notes.txt`, "not a disk");
      const before = storage.listing();
      const terraform = workspaceOf(engine);
      copyExample("adoption", terraform.directory);
      terraform.write(
        JSON.stringify({
          storage_host: host.settings,
          directory: storage.path,
          disks: { "web.img": 1, "db.img": 1 },
        }),
        "terraform.tfvars.json",
      );
      const { text } = await terraform.applied();
      expect(text).toContain("2 imported, 0 added, 2 changed, 0 destroyed");
      expect(text).toContain('"notes.txt"');
      await terraform.expectNoChanges();
      expect(storage.names()).toEqual(["db.img", "web.img"]);
      await terraform.destroyed();
      expect(storage.listing().filter((line) => !line.startsWith(".breezeblock"))).toEqual(before);
    });

    test("placement: each volume goes where it may, and stays there", async () => {
      const [fast, bulk, rest] = [host.newDirectory(), host.newDirectory(), host.newDirectory()];
      const terraform = workspaceOf(engine);
      copyExample("placement", terraform.directory);
      const directories = { fast: fast.path, bulk: bulk.path, rest: rest.path };
      terraform.write(JSON.stringify({ storage_host: host.settings, directories }), "terraform.tfvars.json");
      await terraform.applied();
      const all = [fast, bulk, rest].map((directory) => directory.names());
      expect(all.flat().sort()).toEqual([
        ...["db", "node-0", "node-1", "node-2", "replica", "scratch-0", "scratch-1", "scratch-2"],
      ]);
      for (const names of all) expect(names.filter((name) => name.startsWith("node-"))).toHaveLength(1);
      expect(fast.names()).toContain("db");
      expect(fast.names()).not.toContain("replica");
      expect(bulk.names().filter((name) => name.startsWith("scratch-"))).toEqual([]);
      await terraform.expectNoChanges();
      await terraform.destroyed();
      for (const directory of [fast, bulk, rest]) expect(directory.leftBehind()).toEqual([]);
    });

    test("images: an image goes in, and comes out", async (context) => {
      needs("qcow2", context);
      const storage = host.newDirectory();
      const terraform = workspaceOf(engine);
      copyExample("images", terraform.directory);
      const [image, copy, disk] = ["in.qcow2", "out.qcow2", "disk.raw"].map((name) =>
        join(terraform.directory, name),
      ) as [string, string, string];
      writeFileSync(disk, Buffer.alloc(2 ** 20, "content"));
      makeQcow2(disk, image);
      terraform.write(
        JSON.stringify({ storage_host: host.settings, directory: storage.path, image, copy }),
        "terraform.tfvars.json",
      );
      await terraform.applied();
      await terraform.expectNoChanges();
      execFileSync("qemu-img", ["compare", image, copy]);
      await terraform.destroyed();
      expect(existsSync(copy)).toBe(true);
      expect(storage.leftBehind()).toEqual([]);
    });

    test("minimal: applied and destroyed", async () => {
      const storage = host.newDirectory();
      const terraform = workspaceOf(engine);
      terraform.write(minimalExample("main.tf", host, storage.path));
      await terraform.applied();
      expect(storage.sizeOf(storage.object("db"))).toBe(10 * 2 ** 30);
      await terraform.expectNoChanges();
      await terraform.destroyed();
      expect(storage.leftBehind()).toEqual([]);
    });

    test("minimal: the settings from breezeblock.yaml", async () => {
      const storage = host.newDirectory();
      const terraform = workspaceOf(engine);
      terraform.write(minimalExample("breezeblock.yaml", host, storage.path), "breezeblock.yaml");
      terraform.write(
        minimalExample("main.tf", host, storage.path).replace(
          /provider "breezeblock" \{[\s\S]*?\n\}/,
          'provider "breezeblock" {\n  config_file = abspath("breezeblock.yaml")\n}',
        ),
      );
      await terraform.applied();
      expect(storage.names()).toEqual(["db"]);
      expect(await terraform.attributes("breezeblock_volume.db")).toMatchObject({
        labels_all: { team: "storage" },
      });
      await terraform.destroyed();
    });

    test.each(readdirSync(repositoryFile("docs/reference")).filter((page) => page !== "README.md"))(
      "docs/reference/%s: what it shows is valid",
      async (page) => {
        const terraform = workspaceOf(engine);
        const blocks = readFileSync(repositoryFile(`docs/reference/${page}`), "utf8").matchAll(
          /```hcl\n([\s\S]*?)```/g,
        );
        const text = [...blocks].map(([, block = ""]) => block).join("\n");
        expect(text).not.toBe("");
        const volume =
          'resource "breezeblock_volume" "db" {\n  name = "db"\n  backend = "fast"\n  size = 1\n}\n';
        const requirement =
          'terraform {\n  required_providers {\n    breezeblock = { source = "breezeblock/breezeblock" }\n  }\n}\n';
        terraform.write(requirement + text + (text.includes('"breezeblock_volume" "db" {') ? "" : volume));
        const result = await terraform.validate();
        expect(result.exitCode, result.text).toBe(0);
      },
    );
  });
}
