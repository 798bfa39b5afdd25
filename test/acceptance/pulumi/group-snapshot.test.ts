import { expect, test } from "vitest";
import { expectSuccess } from "../../support/pulumi.ts";
import { describePulumi, useScenario } from "./scenario.ts";

describePulumi("a group snapshot", () => {
  const scenario = useScenario({ checkTypes: true });
  const volumes = ["data", "log"]
    .map(
      (name) =>
        `const ${name} = new breezeblock.Volume("${name}", { name: "${name}", backend: "demo", size: 1 });\n`,
    )
    .join("");
  const group = (name: string) =>
    `const g = new breezeblock.GroupSnapshot("g", { name: "${name}", volumeIds: [data.id, log.id] });\n`;
  const copy = `
    new breezeblock.Volume("copy", {
      name: "copy", backend: "demo",
      source: { snapshotId: pulumi.all([g.snapshotIds, log.id]).apply(([ids, id]) => ids[id] ?? "") },
    });`;

  test("is taken, renamed in place, a source of volumes, and deleted as a whole", async () => {
    const { workspace, storage } = scenario();
    workspace.program(volumes);
    expectSuccess(await workspace.up());
    storage.writeData(storage.object("log"), "log");
    workspace.program(volumes + group("before") + copy);
    expectSuccess(await workspace.up());
    await scenario().expectNoChanges();
    expect(storage.names("snapshot")).toEqual(["before-1", "before-2"]);
    expect(storage.readData(storage.object("copy"), 3)).toBe("log");
    // The copy has become independent of what it was made from.
    workspace.program(volumes + group("before"));
    expectSuccess(await workspace.up());
    workspace.program(volumes + group("after"));
    expect(await workspace.steps()).toEqual([{ op: "update", name: "g" }]);
    expectSuccess(await workspace.up());
    expect(storage.names("snapshot")).toEqual(["after-1", "after-2"]);
    await scenario().expectNoChanges();
    expectSuccess(await workspace.destroy());
    expect(storage.leftBehind()).toEqual([]);
  });
});
