import { expect, test } from "vitest";
import { outcomeOf } from "./diagnostics.ts";
import { describeEngines, useSite } from "./scenario.ts";

const site = useSite();

describeEngines((engine) => {
  test("a destroy takes a last snapshot, says where it is, and the volume can be made again of it", async () => {
    const scenario = site.scenario(engine);
    const { terraform, storage } = scenario;
    const volume = (more: string) =>
      `resource "breezeblock_volume" "db" {\n  name = "db"\n  backend = "demo"\n  labels = { app = "postgres" }\n${more}}\n`;
    scenario.write(volume('  size = 1\n  deletion_policy = "snapshot"\n'));
    await terraform.applied();
    await terraform.expectNoChanges();
    storage.writeData(storage.object("db"), "precious");

    scenario.write("");
    const destroyed = await outcomeOf(terraform, "apply");
    const [last, another] = storage.objects("snapshot");
    expect(another).toBeUndefined();
    expect(last).toMatchObject({ phase: "retained", labels: { app: "postgres" } });
    expect(last?.name).toMatch(/^db-last-\d{8}-[0-9a-f]{8}$/);
    expect(storage.names()).toEqual([]);
    const id = `demo/${last?.id}`;
    expect(destroyed).toMatchObject({
      exitCode: 0,
      diagnostics: [
        {
          severity: "warning",
          summary: expect.stringContaining('last snapshot of volume "db" is kept'),
          detail: expect.stringContaining(`snapshot_id = "${id}"`),
        },
      ],
    });

    scenario.write(volume(`  source = { snapshot_id = "${id}" }\n`));
    await terraform.applied();
    expect(storage.readData(storage.object("db"), 8)).toBe("precious");
    await terraform.expectNoChanges();

    const imports = (volumeId: string) =>
      `${volume(`  source = { snapshot_id = "${id}" }\n`)}resource "breezeblock_snapshot" "last" {\n  name = "${last?.name}"\n  volume_id = ${volumeId}\n  labels = { app = "postgres" }\n}\n`;
    scenario.write(imports("breezeblock_volume.db.id"));
    expect((await terraform.import("breezeblock_snapshot.last", id)).exitCode).toBe(0);
    // Another volume's snapshot does not take the place of all that is left of this one.
    const wrong = await terraform.plan();
    expect(wrong.exitCode).toBe(1);
    const gone = `demo/${(last as { readonly volumeId?: string }).volumeId}`;
    expect(wrong.text.replaceAll(/[\s│]+/g, " ")).toContain(`Write volume_id = "${gone}"`);
    scenario.write(imports(`"${gone}"`));
    await terraform.expectNoChanges();
    await terraform.destroyed();
    expect(storage.leftBehind()).toEqual([]);
  });

  test("what cannot be snapshotted is not destroyed", async () => {
    const scenario = site.scenario(engine);
    const { terraform, storage } = scenario;
    const volume =
      'resource "breezeblock_volume" "db" {\n  name = "db"\n  size = 1\n  backend = "demo"\n  deletion_policy = "snapshot"\n}\n';
    const snapshot =
      'resource "breezeblock_snapshot" "older" {\n  name = "older"\n  volume_id = breezeblock_volume.db.id\n}\n';
    scenario.write(volume + snapshot);
    await terraform.applied();
    await terraform.run(["state", "rm", "breezeblock_snapshot.older"]);
    scenario.write("");
    const refused = await terraform.apply();
    expect(refused.exitCode).not.toBe(0);
    expect(refused.text).toContain("older");
    expect(storage.names()).toEqual(["db"]);
    expect(storage.names("snapshot")).toEqual(["older"]);
  });
});
