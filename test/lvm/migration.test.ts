import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { bringTo, createVolume, deleteVolume, Fleet, moveOf, whereIs } from "../../src/backend/index.ts";
import { openHost } from "../../src/ssh/index.ts";
import { labAvailability, useLab } from "../lab/use-lab.ts";
import { titled } from "../support/availability.ts";
import { mebibyte } from "../support/file-backend.ts";

const sizeBytes = 64 * mebibyte;

describe.skipIf(!labAvailability.available)(titled("volumes that move", labAvailability), () => {
  const lab = useLab();

  test("between files and thin and thick logical volumes, with every byte; killed half-way, the old one stands", async () => {
    const [machine] = lab.current().storage;
    if (machine === undefined) throw new Error("the lab has no storage host");
    const settings = machine.settings();
    const host = openHost(settings);
    const run = async (...argv: readonly string[]) => {
      const { exitCode, stdout, stderr } = await host.run(argv);
      expect(exitCode, stderr.toString()).toBe(0);
      return stdout.toString().trim();
    };
    const directory = `/srv/volumes.${randomUUID()}`;
    await run("mkdir", "-p", directory);
    const lvm = { technology: "lvm", volumeGroup: "vg0", volumeClear: "zero" } as const;
    const backend = <T>(name: string, technology: T) =>
      ({ name, aliases: [], host: settings.name, technology, unreachable: "error" }) as const;
    const open = () =>
      new Fleet({
        owner: "acme/prod",
        defaultLabels: {},
        deletionProtection: false,
        hosts: { [settings.name]: settings },
        backends: [
          backend("file", { technology: "file", directory, format: "raw" } as const),
          backend("thin", { ...lvm, thinPool: "pool0" }),
          backend("thick", { ...lvm, thinPool: null }),
        ],
      });
    let fleet = open();
    try {
      const file = fleet.backend("file", []);
      const made = await createVolume(
        file,
        {
          ...{ name: "db", namePrefix: null, sizeBytes, source: null, pool: null, provisioning: "thin" },
          ...{ multiattach: false, labels: {}, defaultLabels: {}, deletionProtection: false, settings: {} },
        },
        undefined,
      );
      const script =
        'dd if=/dev/urandom of="$1" bs=1M seek=1 count=2 conv=notrunc,fsync status=none && printf end | dd of="$1" bs=1 seek=67108800 conv=notrunc,fsync status=none && sha256sum < "$1"';
      const sum = await run("sh", "-c", script, "sh", made.location);
      for (const [name, provisioning] of [
        ["thin", "thin"],
        ["file", "thin"],
        ["thick", "thick"],
        ["file", "thin"],
      ] as const) {
        const target = fleet.backend(name, []);
        const { found } = await whereIs(fleet, fleet.backend("file", []), made.id);
        if (found === undefined) throw new Error("the volume is nowhere");
        const move = {
          target,
          birthplace: "file",
          name: "db",
          pool: null,
          provisioning,
        };
        if (name === "thin") {
          // As when the engine is gone while the job copies.
          const stop = new AbortController();
          const runJob = target.host.runJob.bind(target.host);
          target.host.runJob = async (job, options) => {
            setImmediate(() => stop.abort());
            return runJob(job, options);
          };
          await expect(bringTo(fleet, found, move, stop.signal)).rejects.toThrow();
          await fleet.close();
          fleet = open();
          const left = (await whereIs(fleet, fleet.backend("file", []), made.id)).found;
          expect(left?.backend.name).toBe("file");
          if (left === undefined) return;
          expect(moveOf(left.record)).toMatchObject({ direction: "to", backend: "thin" });
          await bringTo(fleet, left, { ...move, target: fleet.backend("thin", []) }, undefined);
        } else {
          await bringTo(fleet, found, move, undefined);
        }
        const place = (await whereIs(fleet, fleet.backend("file", []), made.id)).found;
        expect(place?.backend.name).toBe(name);
        expect(place?.record).toMatchObject({ provisioning, sizeBytes, phase: "acknowledged" });
        expect(await run("sh", "-c", 'sha256sum < "$1"', "sh", place?.record.location ?? "")).toBe(sum);
        // What is thin stays so.
        if (name === "thin") {
          const percent = await run(
            "lvs",
            "--noheadings",
            "-o",
            "data_percent",
            place?.record.location ?? "",
          );
          expect(Number(percent)).toBeLessThan(20);
        }
        const left = await run("sh", "-c", 'lvs --noheadings -o lv_name vg0; ls "$1"', "sh", directory);
        expect(left.split("\n").filter((line) => line.includes(made.id)).length).toBe(
          name === "file" ? 2 : 1,
        );
      }
      const identity = (await fleet.backend("file", []).listing()).identity ?? "";
      await deleteVolume(fleet.backend("file", []), made.id, identity, undefined);
    } finally {
      await fleet.close();
      await run("rm", "-rf", "--", directory);
      await host.close();
    }
  });
});
