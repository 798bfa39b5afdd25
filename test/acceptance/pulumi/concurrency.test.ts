import { afterAll, beforeAll, expect, test } from "vitest";
import { type FaultyProxy, startFaultyProxy } from "../../support/faulty-proxy.ts";
import { expectSuccess, type PulumiResult } from "../../support/pulumi.ts";
import { describePulumi, Scenario, useHost } from "./scenario.ts";

const count = 20;

describePulumi(`${count} volumes in one program`, () => {
  const host = useHost();
  let proxy: FaultyProxy;
  let scenario: Scenario;

  beforeAll(async () => {
    proxy = await startFaultyProxy(host().ssh);
    scenario = await Scenario.open(host(), { host: { port: proxy.port } });
  });

  afterAll(async () => {
    await proxy?.stop();
    scenario?.remove();
  });

  /** Runs Pulumi, and tells how many connections it made and which commands it ran on the host. */
  async function watched(
    ...args: readonly string[]
  ): Promise<{ connections: number; commands: readonly string[]; result: PulumiResult }> {
    const before = proxy.accepted();
    const result = expectSuccess(await scenario.workspace.run(args, { BREEZEBLOCK_LOG: "debug" }));
    // Pulumi shows a provider's lines as they come, and all of them again under "Diagnostics".
    const [, summary = ""] = result.text.split("Diagnostics:");
    const commands = summary
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line.startsWith("{") && line.includes('"message":"command"'))
      .map((line) => (JSON.parse(line) as { command: string }).command);
    return { connections: proxy.accepted() - before, commands, result };
  }

  const program = (volumes: number) => `
    for (let index = 0; index < ${volumes}; index++) {
      new breezeblock.Volume("v" + index, { name: "v" + index, backend: "demo", size: 1 });
    }`;

  test("are made over one connection", async () => {
    scenario.workspace.program(program(count));
    const { connections } = await watched("up", "--yes", "--skip-preview");
    expect(connections).toBe(1);
    expect(scenario.storage.objects()).toHaveLength(count);
    // The process ends its connection with itself.
    expect(proxy.open()).toBe(0);
  });

  test("are read by one check and one listing, however many they are", async () => {
    // What was made is acknowledged by the first refresh; those after it only read.
    await scenario.expectNoChanges();
    const all = await watched("preview", "--refresh", "--expect-no-changes");
    expect(all.connections).toBe(1);
    expect(all.commands).toHaveLength(2);

    scenario.workspace.program(program(2));
    expectSuccess(await scenario.workspace.up());
    expect(scenario.storage.objects()).toHaveLength(2);
    const two = await watched("preview", "--refresh", "--expect-no-changes");
    expect(two.connections).toBe(1);
    expect(two.commands).toEqual(all.commands);
  });

  test("are destroyed over one connection", async () => {
    scenario.workspace.program(program(count));
    expectSuccess(await scenario.workspace.up());
    const { connections } = await watched("destroy", "--yes", "--skip-preview");
    expect(connections).toBe(1);
    expect(scenario.storage.leftBehind()).toEqual([]);
  });
});
