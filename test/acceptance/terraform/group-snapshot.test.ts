import { existsSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { outcomeOf } from "./diagnostics.ts";
import { describeEngines, firstEngine, type Scenario, useSite } from "./scenario.ts";

const site = useSite();

const volumes = ["data", "log"]
  .map(
    (name) =>
      `resource "breezeblock_volume" "${name}" {\n  name = "${name}"\n  size = 1\n  backend = "demo"\n}\n`,
  )
  .join("");
const group = (name = "before", more = "") => `
resource "breezeblock_group_snapshot" "g" {
  name       = "${name}"
  volume_ids = [breezeblock_volume.data.id, breezeblock_volume.log.id]
  ${more}
}
`;
const copy = `
resource "breezeblock_volume" "copy" {
  name    = "copy"
  size    = 2
  backend = "demo"
  source  = { snapshot_id = breezeblock_group_snapshot.g.snapshot_ids[breezeblock_volume.log.id] }
}
data "breezeblock_snapshot" "second" {
  backend    = "demo"
  name       = "before-2"
  depends_on = [breezeblock_group_snapshot.g]
}
`;

/** Two volumes that hold their names, with a group snapshot. */
async function taken(scenario: Scenario): Promise<void> {
  const { terraform, storage } = scenario;
  scenario.write(volumes);
  await terraform.applied();
  for (const name of ["data", "log"]) storage.writeData(storage.object(name), name);
  scenario.write(volumes + group());
  await terraform.applied();
}

describeEngines((engine) => {
  test("volumes are snapshotted together, renamed, imported, used as sources and deleted together", async () => {
    const scenario = site.scenario(engine);
    const { terraform, storage } = scenario;
    await taken(scenario);
    const ids = ["before-1", "before-2"].map((name) => `demo/${storage.object(name, "snapshot").id}`);
    const { snapshot_ids: made } = await terraform.attributes("breezeblock_group_snapshot.g");
    expect(made).toEqual({
      [`demo/${storage.object("data").id}`]: ids[0],
      [`demo/${storage.object("log").id}`]: ids[1],
    });
    storage.writeData(storage.object("log"), "new");
    scenario.write(volumes + group() + copy);
    await terraform.applied();
    await terraform.expectNoChanges();
    expect(storage.readData(storage.object("copy"), 3)).toBe("log");
    expect(await terraform.attributes("data.breezeblock_snapshot.second")).toMatchObject({ id: ids[1] });

    const renamed = volumes + group("after", 'labels = { why = "upgrade" }');
    scenario.write(renamed);
    await terraform.applied();
    expect(storage.names("snapshot")).toEqual(["after-1", "after-2"]);
    await terraform.expectNoChanges();
    const { id } = await terraform.attributes("breezeblock_group_snapshot.g");

    const imported = site.scenario(engine, { storage });
    imported.write(renamed);
    for (const [address, reference] of [
      ["breezeblock_volume.data", "demo/data"],
      ["breezeblock_volume.log", "demo/log"],
      ["breezeblock_group_snapshot.g", "demo/after"],
    ] as const) {
      const { exitCode, text } = await imported.terraform.import(address, reference);
      expect(exitCode, text).toBe(0);
    }
    await imported.terraform.expectNoChanges();
    expect(await imported.terraform.attributes("breezeblock_group_snapshot.g")).toMatchObject({ id });
    await imported.terraform.destroyed();
    expect(storage.leftBehind()).toEqual([]);
  });
});

describeEngines((engine) => {
  describe("a group snapshot", () => {
    test("of a volume that is attached for writing is refused, and the plan warns of it", async () => {
      const scenario = site.scenario(engine);
      const { terraform, storage } = scenario;
      const attached = `${volumes}resource "breezeblock_attachment" "a" {\n  volume_id = breezeblock_volume.log.id\n  host = "san1"\n}\n`;
      scenario.write(attached);
      await terraform.applied();
      scenario.write(attached + group());
      const { diagnostics } = await outcomeOf(terraform, "plan");
      expect(diagnostics.map(({ summary }) => summary)).toEqual(['Volume "log" is attached for writing']);
      const refused = await outcomeOf(terraform, "apply");
      expect(refused.exitCode).toBe(1);
      expect(refused.output).toContain("what is written between two snapshots");
      expect(storage.names("snapshot")).toEqual([]);
    });

    test("of which a part is gone is told of and stays, and is replaced when that is asked for", async () => {
      const scenario = site.scenario(engine);
      const { terraform, storage } = scenario;
      await taken(scenario);
      const kept = storage.object("before-1", "snapshot").id;
      storage.remove(storage.object("before-2", "snapshot"));
      const told = await outcomeOf(terraform, "apply");
      expect(told.exitCode, told.output).toBe(0);
      expect(told.diagnostics.map(({ summary }) => summary)).toContain(
        'The group snapshot "before" is not whole',
      );
      expect(storage.object("before-1", "snapshot").id).toBe(kept);

      const attached = `${volumes}resource "breezeblock_attachment" "a" {\n  volume_id = breezeblock_volume.log.id\n  host = "san1"\n}\n`;
      scenario.write(attached + group());
      await terraform.applied();
      const replace = "-replace=breezeblock_group_snapshot.g";
      const refused = await outcomeOf(terraform, "plan", replace);
      expect(refused.exitCode).toBe(1);
      expect(refused.output).toContain('Volume \\"log\\" is attached for writing');
      scenario.write(volumes + group());
      await terraform.applied();
      const replaced = await outcomeOf(terraform, "apply", replace);
      expect(replaced.exitCode, replaced.output).toBe(0);
      expect(storage.names("snapshot")).toEqual(["before-1", "before-2"]);
      expect(storage.object("before-1", "snapshot").id).not.toBe(kept);
      await terraform.expectNoChanges();
    });

    test("with a damaged snapshot is not destroyed, and not forgotten", async () => {
      const scenario = site.scenario(engine);
      const { terraform, storage } = scenario;
      await taken(scenario);
      const files = ["before-1", "before-2"].map((name) =>
        storage.metadataFile(storage.object(name, "snapshot")),
      );
      writeFileSync(files[1] ?? "", "{");
      const refused = await outcomeOf(terraform, "destroy", "-refresh=false");
      expect(refused.exitCode).toBe(1);
      expect(refused.output).toContain("is not valid JSON");
      expect(files.filter((file) => existsSync(file))).toEqual(files);
      expect((await terraform.run(["state", "list"])).stdout).toContain("breezeblock_group_snapshot.g");
    });

    test("is refused for volumes of two backends, for one listed twice, and under a name that is taken", async () => {
      const scenario = site.scenario(engine);
      const { terraform } = scenario;
      await taken(scenario);
      const plan = async (text: string) => {
        scenario.write(text);
        return (await outcomeOf(terraform, "plan")).output;
      };
      const data = "breezeblock_volume.data.id";
      expect(await plan(volumes + group().replace(/\[.*\]/, `[${data}, ${data}]`))).toContain(
        "more than once",
      );
      expect(await plan(volumes + group().replace(/\[.*\]/, "[]"))).toContain("at least one volume");
      const second = group().replace('"g"', '"h"');
      expect(await plan(volumes + group() + second)).toContain("has the same name on the same backend");
      scenario.write(volumes + group("before", "deletion_protection = true"));
      await terraform.applied();
      expect(await plan(volumes)).toContain("It is protected against deletion");
    });
  });
}, firstEngine());
