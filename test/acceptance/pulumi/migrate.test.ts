import { expect, test } from "vitest";
import { expectSuccess } from "../../support/pulumi.ts";
import { StorageDirectory } from "../../support/storage.ts";
import { describePulumi, errorsIn, Scenario, useHost } from "./scenario.ts";

describePulumi("a changed backend", () => {
  const host = useHost();
  const program = (backend: string, more = "") => `
    const db = new breezeblock.Volume("db", { name: "db", backend: "${backend}", size: 1${more} });
    export const place = db.backend;`;

  test("moves the volume with its data where that is allowed, and its id stays", async () => {
    const scenario = await Scenario.open(host());
    const { workspace, storage } = scenario;
    try {
      const there = new StorageDirectory(host().ssh.directory);
      const other = { host: "lab", file: { directory: there.path } };
      scenario.configure({ backends: { demo: scenario.backend(), other } });
      workspace.program(program("demo"));
      expectSuccess(await workspace.up());
      const { id } = storage.object("db");
      storage.writeData(storage.object("db"), "what it held");

      workspace.program(program("other"));
      expect(errorsIn(await workspace.preview())).toMatch(/onBackendChange/);

      workspace.program(program("other", ', onBackendChange: "migrate"'));
      const moved = await workspace.up();
      expectSuccess(moved);
      expect(moved.text).not.toMatch(/replace/);
      await scenario.expectNoChanges();
      const volume = (await workspace.resources()).find(({ id: found }) => found === `demo/${id}`);
      expect(volume?.outputs).toMatchObject({ backend: "other" });
      expect(there.readData(there.object("db"), 12)).toBe("what it held");
      expect(storage.leftBehind()).toEqual([]);

      expectSuccess(await workspace.destroy());
      expect(there.leftBehind()).toEqual([]);
    } finally {
      scenario.remove();
    }
  });
});
