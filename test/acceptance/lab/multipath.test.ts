import { describe, expect, test } from "vitest";
import { labAvailability } from "../../lab/use-lab.ts";
import { titled } from "../../support/availability.ts";
import { waitFor } from "../../support/wait-for.ts";
import { describeEngines, firstEngine } from "../terraform/scenario.ts";
import { type Resources, ref } from "./program.ts";
import { useSan } from "./san.ts";
import { Writer } from "./writer.ts";

describe.skipIf(!labAvailability.available)(titled("multipath", labAvailability), () => {
  const san = useSan();

  describeEngines((engine) => {
    test.each(["iscsi", "nvmet"])(
      "%s: one of two portals is cut while data is written, and nobody notices; the volume grows under it",
      async (backend) => {
        const { storage, consumer } = san;
        const run = (command: string) => consumer.run(command);
        // The consumer's administrator runs it, or there is no multipath for iSCSI.
        await run("systemctl start multipathd");
        const before = await san.listing();
        const program = await san.program(engine);
        const resources = (size: number): Resources => ({
          volume: { m: { name: "m", backend, size } },
          attachment: {
            m: {
              volume_id: ref("volume.m.id"),
              volume_size: ref("volume.m.size"),
              host: consumer.name,
              multipath: true,
              filesystem: { type: "xfs", mount_point: "/srv/m" },
            },
          },
        });
        program.write(resources(1));
        await program.applied();
        expect(await program.changes()).toEqual([]);
        await run("dmesg --clear");
        const writer = await Writer.start(run, "/srv/m");

        for (const nic of [0, 1] as const) {
          await storage.cut(nic);
          // Long enough that the paths through the other portal carry what is written.
          for (let file = 0; file < 5; file++) await writer.goesOn();
          await storage.restore(nic);
          await waitFor("both paths being there again", async () => (await program.changes()).length === 0, {
            deadlineMs: 180_000,
            intervalMs: 3_000,
          });
        }
        program.write(resources(2));
        await program.applied();
        expect(Number(await run("df -B1 --output=size /srv/m | tail -n 1"))).toBeGreaterThan(1.8 * 2 ** 30);
        await writer.stop();
        expect(await run("dmesg | grep -E 'Buffer I/O error|XFS.*(error|shutdown)' || true")).toBe("");
        await program.destroyed();
        expect(await san.listing()).toEqual(before);
      },
    );
  }, firstEngine());
});
