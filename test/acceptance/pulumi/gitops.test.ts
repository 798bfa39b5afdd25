import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FaultyProxy, startFaultyProxy } from "../../support/faulty-proxy.ts";
import { expectSuccess, type PulumiResult, unexpectedChanges } from "../../support/pulumi.ts";
import type { StorageDirectory } from "../../support/storage.ts";
import { describePulumi, errorsIn, Scenario, useHost } from "./scenario.ts";

/** Every way in which a pipeline looks at what is there. */
const looks: readonly (readonly [string, (scenario: Scenario) => Promise<PulumiResult>])[] = [
  ["preview --refresh", ({ workspace }) => workspace.preview("--refresh", "--expect-no-changes")],
  ["refresh --preview-only", ({ workspace }) => workspace.refresh("--preview-only")],
  ["refresh", ({ workspace }) => workspace.refresh()],
  ["up --refresh", ({ workspace }) => workspace.up("--refresh")],
  ["destroy", ({ workspace }) => workspace.destroy()],
];

describePulumi("in a pipeline", () => {
  const host = useHost();
  let proxy: FaultyProxy;
  let scenario: Scenario;
  const program = (size = 1) => `
    const db = new breezeblock.Volume("db", { name: "db", backend: "demo", size: ${size}, labels: { app: "x" } });
    new breezeblock.Snapshot("s", { name: "s", volumeId: db.id });
    new breezeblock.Attachment("a", { volumeId: db.id, host: "lab", mode: "ro" });`;

  beforeAll(async () => {
    proxy = await startFaultyProxy(host().ssh);
    // What a refresh connects to is what the last update was configured with: the proxy, from the first on.
    const settings = { port: proxy.port, dialAttempts: 1, dialTimeout: 2 };
    scenario = await Scenario.open(host(), { host: settings });
    scenario.workspace.program(program());
    expectSuccess(await scenario.workspace.up());
    await scenario.expectNoChanges();
  });

  afterAll(async () => {
    await proxy?.stop();
    scenario?.remove();
  });

  /** Runs everything that looks at the storage, and expects each to fail with `reason` and to change nothing anywhere. */
  async function expectNothingChanges(storage: StorageDirectory, reason: RegExp): Promise<void> {
    const [state, before] = [await scenario.stateText(), storage.listing()];
    for (const [command, look] of looks) {
      const failed = await look(scenario);
      expect([null, 0, unexpectedChanges], `${command}: ${failed.text}`).not.toContain(failed.exitCode);
      expect(errorsIn(failed), command).toMatch(reason);
      expect(await scenario.stateText(), command).toBe(state);
      expect(storage.listing(), command).toEqual(before);
    }
  }

  describe("the exit code of preview and refresh", () => {
    test("is 0 without drift", async () => {
      const { workspace } = scenario;
      for (const args of [["--expect-no-changes"], ["--refresh", "--expect-no-changes"]]) {
        expect((await workspace.preview(...args)).exitCode).toBe(0);
      }
      expect((await workspace.refresh("--preview-only", "--expect-no-changes")).exitCode).toBe(0);
      expect((await workspace.up("--refresh", "--expect-no-changes")).exitCode).toBe(0);
    });

    test("tells of drift, and of what is written but not done", async () => {
      const { workspace, storage } = scenario;
      storage.edit(storage.object("db"), { labels: { app: "y" } });
      expect((await workspace.preview("--expect-no-changes")).exitCode).toBe(0);
      expect((await workspace.preview("--refresh", "--expect-no-changes")).exitCode).toBe(unexpectedChanges);
      expect((await workspace.refresh("--preview-only", "--expect-no-changes")).exitCode).toBe(
        unexpectedChanges,
      );
      expect(storage.object("db").labels).toEqual({ app: "y" });
      expectSuccess(await workspace.up("--refresh"));
      await scenario.expectNoChanges();
      workspace.program(program(2));
      expect((await workspace.preview("--refresh", "--expect-no-changes")).exitCode).toBe(unexpectedChanges);
      workspace.program(program());
    });
  });

  describe("nothing is changed or taken for gone where the host", () => {
    test("refuses connections", async () => {
      await proxy.setFault({ kind: "refuse" });
      await expectNothingChanges(scenario.storage, /Unable to connect to .*lab.*refused/);
      const { workspace, storage } = scenario;
      const [state, before] = [await scenario.stateText(), storage.listing()];
      workspace.program(program(2));
      const failed = await workspace.up();
      expect(failed.exitCode).not.toBe(0);
      expect(errorsIn(failed)).toMatch(/Unable to connect to/);
      expect(await scenario.stateText()).toBe(state);
      expect(storage.listing()).toEqual(before);
      workspace.program(program());
    });

    test.each([
      ["does not answer", { kind: "black-hole" }, /Unable to .*(within|timed out|time)/s],
      ["closes while it is asked", { kind: "cut-after", bytes: 4_000 }, /Unable to /],
    ] as const)("%s", async (_, fault, reason) => {
      await proxy.setFault(fault);
      const { workspace, storage } = scenario;
      const [state, before] = [await scenario.stateText(), storage.listing()];
      for (const failed of [await workspace.preview("--refresh"), await workspace.up("--refresh")]) {
        expect(failed.exitCode).not.toBe(0);
        expect(errorsIn(failed)).toMatch(reason);
      }
      expect(await scenario.stateText()).toBe(state);
      expect(storage.listing()).toEqual(before);
    });

    test('does not answer and may be away: `unreachable: "warn"` says so, and goes on', async () => {
      const { workspace } = scenario;
      await proxy.setFault({ kind: "none" });
      scenario.configure({ backends: { demo: scenario.backend({ unreachable: "warn" }) } });
      expectSuccess(await workspace.up());
      await proxy.setFault({ kind: "refuse" });
      const state = await scenario.stateText();
      const result = expectSuccess(await workspace.preview("--refresh", "--expect-no-changes"));
      expect(result.text).toMatch(/warning: .*"demo" is unreachable; what state says of it was not checked/);
      expect(await scenario.stateText()).toBe(state);
      await proxy.setFault({ kind: "none" });
      scenario.configure();
      expectSuccess(await workspace.up());
    });
  });

  describe("nothing is made again where the directory", () => {
    test("is not mounted: an empty one is in its place", async () => {
      const { path } = scenario.storage;
      renameSync(path, `${path}.away`);
      mkdirSync(path);
      try {
        await expectNothingChanges(scenario.storage, /no breezeblock identity.*not mounted/);
        // Neither are new volumes put where the mount is missing.
        scenario.workspace.program(
          `${program()}\nnew breezeblock.Volume("more", { name: "more", backend: "demo", size: 1 });`,
        );
        const failed = await scenario.workspace.up("--refresh");
        expect(failed.exitCode).not.toBe(0);
        expect(scenario.storage.listing()).toEqual([]);
        scenario.workspace.program(program());
      } finally {
        rmSync(path, { recursive: true });
        renameSync(`${path}.away`, path);
      }
      await scenario.expectNoChanges();
    });

    test("is gone", async () => {
      const { path } = scenario.storage;
      renameSync(path, `${path}.away`);
      try {
        const state = await scenario.stateText();
        for (const [command, look] of looks) {
          const failed = await look(scenario);
          expect(failed.exitCode, command).not.toBe(0);
          expect(errorsIn(failed), command).toMatch(/does not exist or cannot be reached/);
          expect(await scenario.stateText(), command).toBe(state);
        }
      } finally {
        renameSync(`${path}.away`, path);
      }
      await scenario.expectNoChanges();
    });

    test("is another one, as after another machine took over the address", async () => {
      const { path } = scenario.storage;
      renameSync(path, `${path}.away`);
      mkdirSync(join(path, ".breezeblock"), { recursive: true });
      const other = "11111111-2222-4333-8444-555555555555";
      writeFileSync(
        join(path, ".breezeblock/identity"),
        `${JSON.stringify({ breezeblock: 1, identity: other })}\n`,
      );
      try {
        await expectNothingChanges(scenario.storage, /has the identity 11111111-2222-4333-8444-555555555555/);
      } finally {
        rmSync(path, { recursive: true });
        renameSync(`${path}.away`, path);
      }
      await scenario.expectNoChanges();
    });
  });

  test("what is destroyed is gone", async () => {
    expectSuccess(await scenario.workspace.destroy());
    expect(scenario.storage.leftBehind()).toEqual([]);
  });
});
