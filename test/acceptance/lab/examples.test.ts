import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { type ServedProvider, serveForTest } from "../../../providers/terraform/index.ts";
import { provider } from "../../../resources/index.ts";
import { repositoryFile } from "../../../scripts/build-terraform.ts";
import { labAvailability } from "../../lab/use-lab.ts";
import { titled } from "../../support/availability.ts";
import { findEngine } from "../../support/engines.ts";
import { expectSuccess, PulumiWorkspace } from "../../support/pulumi.ts";
import { TerraformWorkspace } from "../../support/terraform.ts";
import { describeEngines } from "../terraform/scenario.ts";
import { useSan } from "./san.ts";

const gib = 2 ** 30;
const examples = [
  { example: "lvm-iscsi", engine: "terraform", mountPoint: "/srv/postgres", port: 3260 },
  { example: "lvm-nvme", engine: "tofu", mountPoint: "/srv/archive", port: 4420 },
];

describe.skipIf(!labAvailability.available)(titled("examples on real hosts", labAvailability), () => {
  const san = useSan();
  const hosts = () => ({
    storage: san.storage.providerHost("storage"),
    consumer: san.consumer.providerHost("storage"),
  });
  const sizeOf = async (path: string) =>
    Number(await san.consumer.run(`df -B1 --output=size ${path} | tail -n 1`));

  describeEngines((engine) => {
    let served: ServedProvider;
    beforeAll(async () => {
      served = await serveForTest(provider, { log: () => undefined });
    });
    afterAll(() => served?.close());

    // One with each: what an example is about does not depend on which of the two runs it.
    test.each(examples.filter(({ engine: its }) => its === engine))(
      "$example: applied, grown, destroyed",
      async ({ example, mountPoint, port }) => {
        const before = await san.listing();
        const terraform = new TerraformWorkspace({ engine, provider: { reattach: served.reattach } });
        terraform.write("", "versions.tf");
        cpSync(repositoryFile(`examples/${example}/terraform`), terraform.directory, { recursive: true });
        const variables = { hosts: hosts(), volume_group: "vg0", portals: san.portals(port) };
        const thinPool = example === "lvm-iscsi" ? { thin_pool: "pool0" } : {};
        terraform.write(JSON.stringify({ ...variables, ...thinPool }), "terraform.tfvars.json");
        await terraform.applied();
        await terraform.expectNoChanges();
        await terraform.applied("-var=size=2");
        expect(await sizeOf(mountPoint)).toBeGreaterThan(1.8 * gib);
        await terraform.destroyed("-var=size=2");
        expect(await san.listing()).toEqual(before);
      },
    );
  });

  const pulumi = findEngine("pulumi");
  test.skipIf(!pulumi.available).each(examples)(
    titled("pulumi: $example: up, grown, destroyed", pulumi),
    async ({ example, mountPoint, port }) => {
      const before = await san.listing();
      const file = (name: string) =>
        readFileSync(repositoryFile(`examples/${example}/pulumi/${name}`), "utf8");
      const { name } = parse(file("Pulumi.yaml")) as { name: string };
      const workspace = await PulumiWorkspace.create({ project: name, checkTypes: true });
      try {
        for (const part of ["index.ts", "Pulumi.yaml", "package.json", "tsconfig.json"])
          workspace.write(part, file(part));
        const settings = parse(file("breezeblock.yaml")) as { backends: object };
        const here = JSON.stringify(settings.backends).replace(
          `10.0.0.5:${port}`,
          san.portals(port)[0] ?? "",
        );
        workspace.write(
          "breezeblock.yaml",
          stringify({ hosts: hosts(), backends: JSON.parse(here) as object }),
        );
        workspace.configure({ "breezeblock:configFile": join(workspace.directory, "breezeblock.yaml") });
        expectSuccess(await workspace.up());
        workspace.configure({ [`${name}:size`]: "2" });
        expectSuccess(await workspace.up());
        expect(await sizeOf(mountPoint)).toBeGreaterThan(1.8 * gib);
        expectSuccess(await workspace.destroy());
      } finally {
        workspace.remove();
      }
      expect(await san.listing()).toEqual(before);
    },
  );
});
