import { expect, test } from "vitest";
import { expectSuccess } from "../../support/pulumi.ts";
import { describePulumi, useScenario } from "./scenario.ts";

describePulumi("a last snapshot", () => {
  const scenario = useScenario({ checkTypes: true });

  test("is kept when the volume is destroyed, named in the output, and a volume is made of it", async () => {
    const { workspace, storage } = scenario();
    workspace.program(
      'new breezeblock.Volume("db", { name: "db", backend: "demo", size: 1, deletionPolicy: "snapshot" });\n',
    );
    expectSuccess(await workspace.up());
    storage.writeData(storage.object("db"), "precious");
    workspace.program("");
    const destroyed = await workspace.up();
    expectSuccess(destroyed);
    expect(storage.names()).toEqual([]);
    const [last] = storage.objects("snapshot");
    expect(last).toMatchObject({ phase: "retained" });
    const id = `demo/${last?.id}`;
    expect(destroyed.text).toContain(id);
    workspace.program(
      `new breezeblock.Volume("again", { name: "again", backend: "demo", source: { snapshotId: "${id}" } });\n`,
    );
    expectSuccess(await workspace.up());
    expect(storage.readData(storage.object("again"), 8)).toBe("precious");
    await scenario().expectNoChanges();
  });
});
