import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { outcomeOf } from "./diagnostics.ts";
import { describeEngines, firstEngine, type Scenario, useSite } from "./scenario.ts";

const site = useSite();

const attachment = `
resource "breezeblock_attachment" "a" {
  volume_id = breezeblock_volume.db.id
  host      = "san1"
}
`;

/** A volume with a snapshot; what is given stands in the volume's block, after its size. */
function configuration(more = "", size = 1): string {
  return `
resource "breezeblock_volume" "db" {
  name    = "db"
  backend = "demo"
  size    = ${size}
  ${more}
}
resource "breezeblock_snapshot" "s" {
  name      = "s"
  volume_id = breezeblock_volume.db.id
}
`;
}

/** A volume that holds "new", with a snapshot of it from when it held "old", and the text of a `restore` to that. */
async function changedSince(scenario: Scenario) {
  const { terraform, storage } = scenario;
  scenario.write(configuration().split('resource "breezeblock_snapshot"')[0] ?? "");
  await terraform.applied();
  storage.writeData(storage.object("db"), "old");
  scenario.write(configuration());
  await terraform.applied();
  storage.writeData(storage.object("db"), "new");
  const { id } = storage.object("s", "snapshot");
  return {
    id,
    data: () => storage.readData(storage.object("db"), 3),
    restore: (trigger: string) => `restore = { snapshot_id = "demo/${id}", trigger = "${trigger}" }`,
  };
}

describeEngines((engine) => {
  test("a changed trigger puts a volume back, and nothing else does", async () => {
    const scenario = site.scenario(engine);
    const { terraform } = scenario;
    const { data, restore } = await changedSince(scenario);

    scenario.write(configuration(restore("monday")));
    const noted = await outcomeOf(terraform, "plan");
    expect(noted.diagnostics).toEqual([
      expect.objectContaining({
        severity: "warning",
        summary: expect.stringMatching(/^Volume "db" \(demo\/.*\) is not put back to a snapshot yet/),
        detail: expect.stringMatching(/only notes its trigger(?!.*refused)/s),
      }),
    ]);
    const none = `restore = { snapshot_id = "demo/${randomUUID()}", trigger = "monday" }`;
    scenario.write(configuration(none));
    expect((await outcomeOf(terraform, "plan")).diagnostics).toEqual([
      expect.objectContaining({
        detail: expect.stringMatching(/that will be refused: There is no such snapshot/),
      }),
    ]);
    scenario.write(configuration(restore("monday")));
    await terraform.applied();
    expect(data()).toBe("new");
    await terraform.expectNoChanges();

    scenario.write(configuration(restore("tuesday")));
    const announced = await outcomeOf(terraform, "plan");
    expect(announced.exitCode).toBe(2);
    expect(announced.diagnostics).toEqual([
      expect.objectContaining({
        severity: "warning",
        summary: expect.stringMatching(/^Volume "db" \(demo\/.*\) is put back to snapshot "s"/),
        detail: expect.stringMatching(
          /was taken \d+ \w+ ago, at 20.*Everything written to the volume since is lost/s,
        ),
      }),
    ]);
    expect(await terraform.actions()).toEqual({ "breezeblock_volume.db": "update" });
    await terraform.applied();
    expect(data()).toBe("old");
    await terraform.expectNoChanges();

    const imported = site.scenario(engine, { storage: scenario.storage });
    imported.write(configuration(restore("tuesday")));
    for (const [address, id] of [
      ["breezeblock_volume.db", "demo/db"],
      ["breezeblock_snapshot.s", "demo/s"],
    ] as const) {
      const { exitCode, text } = await imported.terraform.import(address, id);
      expect(exitCode, text).toBe(0);
    }
    await imported.terraform.expectNoChanges();
  });
});

describeEngines((engine) => {
  describe("a restore is refused at plan", () => {
    test("where the volume is attached, grows at once, or the snapshot is another's or gone", async () => {
      const scenario = site.scenario(engine);
      const { terraform, storage } = scenario;
      const { data, id, restore } = await changedSince(scenario);
      const other =
        'resource "breezeblock_volume" "other" {\n  name = "other"\n  size = 1\n  backend = "demo"\n';
      const first = `${configuration(restore("1"))}${other}${restore("1")}\n}\n`;
      scenario.write(first + attachment);
      await terraform.applied();
      const refusal = async (text: string) => {
        scenario.write(text);
        const { exitCode, diagnostics } = await outcomeOf(terraform, "plan");
        expect(exitCode).toBe(1);
        return diagnostics.find(({ severity }) => severity === "error");
      };
      const { attachments = [] } = storage.object("db");
      expect(await refusal(first.replace('trigger = "1"', 'trigger = "2"') + attachment)).toMatchObject({
        detail: expect.stringContaining(`(attachment ${attachments[0]?.id})`),
      });
      scenario.write(first);
      await terraform.applied();
      expect(await refusal(`${configuration(restore("2"), 2)}${other}}\n`)).toMatchObject({
        detail: expect.stringContaining("Write size = 1, apply, and then the other size"),
        at: expect.stringContaining("size"),
      });
      expect(await refusal(`${configuration(restore("1"))}${other}${restore("2")}\n}\n`)).toMatchObject({
        detail: expect.stringContaining("It is a snapshot of another volume"),
      });
      const gone = restore("2").replace(id, "00000000-0000-4000-8000-000000000000");
      expect(await refusal(`${configuration(gone)}${other}}\n`)).toMatchObject({
        detail: expect.stringContaining("There is no such snapshot on this backend"),
        at: expect.stringContaining("restore"),
      });
      expect(data()).toBe("new");
    });
  });

  test("a restore that was killed half-way is told, keeps the volume from use, and is finished by the next apply", async () => {
    const scenario = site.scenario(engine);
    const { terraform, storage } = scenario;
    const { data, id, restore } = await changedSince(scenario);
    scenario.write(configuration(restore("1")));
    await terraform.applied();
    storage.edit(storage.object("db"), { restoring: id });
    const text = configuration(restore("2")) + attachment;
    const isolated = text.replace(
      "breezeblock_volume.db.id\n  host",
      `"demo/${storage.object("db").id}"\n  host`,
    );
    scenario.write(isolated);
    const unfinished = await outcomeOf(terraform, "apply", "-target=breezeblock_attachment.a");
    expect(unfinished.exitCode).toBe(1);
    expect(unfinished.output).toContain("that was not finished");
    scenario.write(text);
    const planned = await outcomeOf(terraform, "plan");
    expect(planned.diagnostics.map(({ summary }) => summary)).toContain(
      'Volume "db" is half-way through being put back to a snapshot',
    );
    await terraform.applied();
    expect(data()).toBe("old");
    await terraform.expectNoChanges();
  });

  test("a restore that was killed before it changed anything is taken back with the trigger from before", async () => {
    const scenario = site.scenario(engine);
    const { terraform, storage } = scenario;
    const { data, id, restore } = await changedSince(scenario);
    scenario.write(configuration(restore("1")));
    await terraform.applied();
    storage.edit(storage.object("db"), { restoring: id });
    await terraform.applied();
    expect(data()).toBe("new");
    expect(storage.object("db")).not.toHaveProperty("restoring");
    await terraform.expectNoChanges();
  });

  test("a plan that puts a volume back and takes its snapshot away is refused", async () => {
    const scenario = site.scenario(engine);
    const { terraform, storage } = scenario;
    const { data, restore } = await changedSince(scenario);
    scenario.write(configuration(restore("1")));
    await terraform.applied();
    scenario.write(configuration(restore("2")).split('resource "breezeblock_snapshot"')[0] ?? "");
    const refused = await outcomeOf(terraform, "plan");
    expect(refused.exitCode).toBe(1);
    expect(refused.diagnostics).toContainEqual(
      expect.objectContaining({ detail: expect.stringContaining("The snapshot would be deleted first") }),
    );
    expect(storage.object("s", "snapshot")).toBeDefined();
    expect(data()).toBe("new");
  });

  test("an import with another trigger only notes it", async () => {
    const first = site.scenario(engine);
    const { data, restore } = await changedSince(first);
    first.write(configuration(restore("monday")));
    await first.terraform.applied();
    const scenario = site.scenario(engine, { storage: first.storage });
    const { terraform, storage } = scenario;
    const imports = 'import {\n  to = breezeblock_volume.db\n  id = "demo/db"\n}\n';
    const snapshot = imports.replaceAll("volume.db", "snapshot.s").replace("demo/db", "demo/s");
    const text = configuration(restore("tuesday")) + imports + snapshot;
    scenario.write(text);
    const planned = await outcomeOf(terraform, "plan");
    expect(planned.diagnostics).toEqual([
      expect.objectContaining({
        severity: "warning",
        summary: expect.stringContaining("is not put back to a snapshot yet"),
        detail: expect.stringContaining("It was imported"),
      }),
    ]);
    const snapshotId = storage.object("s", "snapshot").id;
    await terraform.applied();
    expect(data()).toBe("new");
    await terraform.expectNoChanges();
    scenario.write(text.replace("tuesday", "wednesday"));
    await terraform.applied();
    expect(data()).toBe("old");
    expect(storage.object("s", "snapshot").id).toBe(snapshotId);
    await terraform.expectNoChanges();
  });

  test("a trigger that was used with another snapshot is refused", async () => {
    const scenario = site.scenario(engine);
    const { terraform, storage } = scenario;
    const { data, restore } = await changedSince(scenario);
    scenario.write(configuration(restore("1")));
    await terraform.applied();
    const other = "demo/00000000-0000-4000-8000-000000000000";
    storage.edit(storage.object("db"), { settings: { restore: { snapshot_id: other, trigger: "2" } } });
    scenario.write(configuration(restore("2")));
    const refused = await outcomeOf(terraform, "apply", "-refresh=false");
    expect(refused.exitCode).toBe(1);
    expect(refused.diagnostics).toContainEqual(
      expect.objectContaining({
        detail: expect.stringContaining(`was used already, with snapshot ${other}`),
        at: expect.stringContaining("restore"),
      }),
    );
    expect(data()).toBe("new");
  });

  test("a restore whose answer was lost is not done again", async () => {
    const scenario = site.scenario(engine);
    const { terraform, storage } = scenario;
    const { data, id, restore } = await changedSince(scenario);
    scenario.write(configuration(restore("1")));
    await terraform.applied();
    const settings = { restore: { snapshot_id: `demo/${id}`, trigger: "2" } };
    storage.edit(storage.object("db"), { settings });
    scenario.write(configuration(restore("2")));
    await terraform.applied("-refresh=false");
    expect(data()).toBe("new");
    await terraform.expectNoChanges();
  });
}, firstEngine());
