import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ServedProvider, serveForTest } from "../../providers/terraform/index.ts";
import { provider } from "../../resources/index.ts";
import { repositoryFile } from "../../scripts/build-terraform.ts";
import { titled } from "../support/availability.ts";
import { findEngine } from "../support/engines.ts";
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
