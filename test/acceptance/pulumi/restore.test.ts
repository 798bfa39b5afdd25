import { expect, test } from "vitest";
import { expectSuccess } from "../../support/pulumi.ts";
import { describePulumi, errorsIn, useScenario } from "./scenario.ts";

describePulumi("restore", () => {
  const scenario = useScenario({ checkTypes: true });
  const volume = (more = "") =>
    `const db = new breezeblock.Volume("db", { name: "db", backend: "demo", size: 1, ${more} });\n`;
  const snapshot = 'new breezeblock.Snapshot("s", { name: "s", volumeId: db.id });\n';
  const restore = (trigger: string) => {
    const { id } = scenario().storage.object("s", "snapshot");
    return `restore: { snapshotId: "demo/${id}", trigger: "${trigger}" },`;
  };
  const data = () => scenario().storage.readData(scenario().storage.object("db"), 3);

  test("is noted when it is new, and says so", async () => {
    const { workspace, storage } = scenario();
    workspace.program(volume());
    expectSuccess(await workspace.up());
    storage.writeData(storage.object("db"), "old");
    workspace.program(volume() + snapshot);
    expectSuccess(await workspace.up());
    storage.writeData(storage.object("db"), "new");
    workspace.program(volume(restore("monday")) + snapshot);
    const preview = await workspace.preview();
    expectSuccess(preview);
    expect(preview.text).toContain("is not put back to a snapshot yet");
    expectSuccess(await workspace.up());
    expect(data()).toBe("new");
    await scenario().expectNoChanges();
  });

  test("with another trigger puts the volume back, and the preview says what is lost", async () => {
    const { workspace } = scenario();
    workspace.program(volume(restore("tuesday")) + snapshot);
    const preview = await workspace.preview();
    expectSuccess(preview);
    expect(preview.text).toMatch(/Volume "db" \(demo\/.*\) is put back to snapshot "s"/);
    expect(preview.text).toContain("Everything written to the volume since is lost");
    expect(await workspace.steps()).toEqual([{ op: "update", name: "db" }]);
    expectSuccess(await workspace.up());
    expect(data()).toBe("old");
    await scenario().expectNoChanges();
  });

  test("is refused in the preview while the volume is attached", async () => {
    const { workspace } = scenario();
    const attachment = 'new breezeblock.Attachment("a", { volumeId: db.id, host: "lab" });\n';
    workspace.program(volume(restore("tuesday")) + snapshot + attachment);
    expectSuccess(await workspace.up());
    workspace.program(volume(restore("wednesday")) + snapshot + attachment);
    const refused = await workspace.preview();
    expect(refused.exitCode).not.toBe(0);
    expect(errorsIn(refused)).toMatch(/It is attached to "[^"]*" \(attachment /);
    workspace.program(volume(restore("tuesday")) + snapshot);
    expectSuccess(await workspace.up());
  });

  test("of a volume that is adopted is noted, whatever trigger the host knows", async () => {
    const { workspace, storage } = scenario();
    storage.writeData(storage.object("db"), "new");
    expectSuccess(await workspace.run(["state", "delete", "--all", "--yes"]));
    const adopted =
      volume(`adopt: "demo/db", ${restore("friday")}`) +
      'new breezeblock.Snapshot("s", { adopt: "demo/s", name: "s", volumeId: db.id });\n';
    workspace.program(adopted);
    const preview = await workspace.preview();
    expectSuccess(preview);
    expect(preview.text).toContain("It was imported: the first apply only notes the trigger");
    expectSuccess(await workspace.up());
    expect(data()).toBe("new");
    workspace.program(adopted.replace("friday", "saturday"));
    expectSuccess(await workspace.up());
    expect(data()).toBe("old");
    expectSuccess(await workspace.destroy());
  });
});
