import { describe, expect, test } from "vitest";
import { labAvailability } from "../../lab/use-lab.ts";
import { titled } from "../../support/availability.ts";
import { describeEngines, firstEngine } from "../terraform/scenario.ts";
import { type Resources, ref } from "./program.ts";
import { useSan } from "./san.ts";

describe.skipIf(!labAvailability.available)(titled("several consumers", labAvailability), () => {
  const san = useSan({ consumers: 2 });

  describeEngines((engine) => {
    // Over nvmet, where all controllers end when one consumer leaves; the conformance suite has the same for every target.
    test.each(["nvmet"])(
      "%s: two consumers of one multiattach volume; one leaves, the other goes on",
      async (backend) => {
        const [one, two] = san.consumers;
        if (one === undefined || two === undefined) throw new Error("the lab has two consumers");
        const before = await san.listing();
        const program = await san.program(engine);
        const volume = { shared: { name: "shared", backend, size: 1, multiattach: true } };
        const attachmentOf = (host: string) => ({ volume_id: ref("volume.shared.id"), host });
        const both: Resources = {
          volume,
          attachment: { one: attachmentOf(one.name), two: attachmentOf(two.name) },
        };
        program.write(both);
        await program.applied();
        const { device_path: path } = await program.attributes("attachment.one");
        await one.run(`printf seen-by-both | dd of=${path} bs=4096 conv=sync oflag=direct status=none`);
        expect(await two.run(`dd if=${path} bs=4096 count=1 iflag=direct status=none | head -c 12`)).toBe(
          "seen-by-both",
        );

        program.write({ volume, attachment: { two: attachmentOf(two.name) } });
        await program.applied();
        expect((await one.attempt(`test -e ${path}`)).status).not.toBe(0);
        await two.run(`printf still-there | dd of=${path} bs=4096 conv=sync oflag=direct status=none`);
        expect(await two.run(`dd if=${path} bs=4096 count=1 iflag=direct status=none | head -c 11`)).toBe(
          "still-there",
        );
        expect(await program.changes()).toEqual([]);
        await program.destroyed();
        expect(await san.listing()).toEqual(before);
      },
    );

    test("a consumer that is gone keeps nothing from being destroyed, once force_detach says so", async () => {
      const [one, two] = san.consumers;
      if (one === undefined || two === undefined) throw new Error("the lab has two consumers");
      const program = await san.program(engine);
      const before = await san.listingOf(san.storage.name);
      const attachment = {
        volume_id: ref("volume.orphaned.id"),
        host: two.name,
        filesystem: { type: "ext4", mount_point: "/srv/orphaned" },
      };
      const volume = { orphaned: { name: "orphaned", backend: "nvmet", size: 1 } };
      program.write({ volume, attachment: { orphaned: attachment } });
      await program.applied();
      await two.powerOff();
      const refused = await program.destroy();
      expect(refused.exitCode).not.toBe(0);
      expect(refused.text).toContain("force_detach = true");
      program.write({ volume, attachment: { orphaned: { ...attachment, force_detach: true } } });
      await program.applied();
      await program.destroyed();
      expect(await san.listingOf(san.storage.name)).toEqual(before);
    });
  }, firstEngine());
});
