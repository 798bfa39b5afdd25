import { describe, expect, test } from "vitest";
import { FileBackend } from "../../../test/support/file-backend.ts";
import { targets } from "../registry.ts";
import { createLocalTarget } from "./index.ts";

describe("local target", () => {
  const target = createLocalTarget();

  test("it is entered in the table of targets", () => {
    expect(targets.local().protocol).toBe("local");
  });

  test("CON-1: a connector needs a host", () => {
    for (const connector of [{}, { host: "" }, { initiator: "iqn.2026-01.example:web1" }]) {
      expect(() => target.validateConnector(connector)).toThrow(
        expect.objectContaining({ kind: "InvalidConnector", attribute: ["connector", "host"] }),
      );
    }
    target.validateConnector({ host: "web1" });
  });

  test.each(["raw", "qcow2"] as const)(
    "CON-2, CON-4, EXP-1: a connection is the path of a %s file, and costs no command",
    async (format) => {
      const backend = await FileBackend.open();
      const made = await backend.create();
      const volume = { ...made, location: made.location.replace(/raw$/, format) };
      const context = { executor: backend.executor, fresh: await backend.list() };
      const before = backend.executor.commands;
      const connector = { host: "web1" };
      for (const _ of ["once", "again"]) {
        await target.createExport(volume, context);
        await target.ensureExport(volume, context);
        expect(await target.initializeConnection(volume, connector, "ro", context)).toEqual({
          driver_volume_type: "local",
          data: { device_path: volume.location, format, access_mode: "ro" },
        });
      }
      await expect(target.initializeConnection(volume, {}, "rw", context)).rejects.toMatchObject({
        kind: "InvalidConnector",
      });
      for (const whose of [connector, connector, null])
        await target.terminateConnection(volume, whose, context);
      await target.removeExport(volume, context);
      await target.removeExport(volume, context);
      expect(backend.executor.commands).toBe(before);
    },
  );

  test("a volume that others named is reached by its own path, which nobody can give to something else", async () => {
    const backend = await FileBackend.open();
    const made = await backend.create();
    const ownPath = made.location.replace(/raw$/, "qcow2");
    const volume = { ...made, location: `${backend.directory}/disk.img`, ownPath, format: "qcow2" as const };
    const context = { executor: backend.executor, fresh: await backend.list() };
    const { data } = await target.initializeConnection(volume, { host: "web1" }, "rw", context);
    expect(data).toMatchObject({ device_path: ownPath, format: "qcow2" });
  });
});
