import { afterAll, beforeAll, expect, test } from "vitest";
import { BuiltCommand, Doctor } from "../../doctor/ground.ts";
import { expectSuccess } from "../../support/pulumi.ts";
import { tempDirectory } from "../../support/temp-directory.ts";
import { describePulumi, useHost, useScenario } from "./scenario.ts";

describePulumi("breezeblock doctor", () => {
  const host = useHost();
  const scenario = useScenario({ owner: "acme/stack" });
  let command: BuiltCommand;
  beforeAll(async () => {
    command = await BuiltCommand.build();
  });
  afterAll(() => command?.remove());

  test("knows a stack's objects from what stack export prints, and finds what was taken out of it", async () => {
    const { workspace, storage } = scenario();
    const kept = `
const kept = new breezeblock.Volume("kept", { name: "kept", backend: "demo", size: 1 });
const before = new breezeblock.Snapshot("before", { name: "before", volumeId: kept.id });
new breezeblock.GroupSnapshot("both", { name: "both", volumeIds: [kept.id] }, { dependsOn: before });
`;
    workspace.program(`${kept}new breezeblock.Volume("lost", { name: "lost", backend: "demo", size: 1 });\n`);
    expectSuccess(await workspace.up());
    const settings = {
      owner: "acme/stack",
      hosts: { lab: host().settings },
      backends: { demo: { host: "lab", file: { directory: storage.path } } },
    };
    const doctor = new Doctor(command, tempDirectory(), settings);
    const judge = async (...args: readonly string[]) => {
      const all = ["--json", "--min-age", "0", "--state", "-", ...args];
      return JSON.parse((await doctor.run(all, await workspace.export())).stdout);
    };
    expect(await judge()).toMatchObject({
      well: true,
      findings: [],
      states: [{ format: "pulumi", objects: 5, problems: [] }],
    });

    const { urn } = await workspace.resource("lost");
    expectSuccess(await workspace.run(["state", "delete", "--yes", urn]));
    const lost = `demo/${storage.object("lost").id}`;
    expect(await judge()).toMatchObject({ findings: [{ id: lost, kind: "volume", condition: "orphan" }] });
    expect(await judge("--remove", lost)).toMatchObject({ removals: [{ id: lost, outcome: "removed" }] });
    expect(storage.names()).toEqual(["kept"]);
    workspace.program(kept);
    await scenario().expectNoChanges();
  });
});
