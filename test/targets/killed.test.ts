import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TargetDriver } from "../../src/contract/index.ts";
import { createIscsiTarget } from "../../src/targets/iscsi/index.ts";
import { createNvmetTarget } from "../../src/targets/nvmet/index.ts";
import { listingOf } from "../lab/listing.ts";
import { labAvailability, useLab } from "../lab/use-lab.ts";
import { titled } from "../support/availability.ts";
import { KillingExecutor } from "../support/killing-executor.ts";
import { connectorOf, TargetGround } from "./ground.ts";

/** How many commands further each kill comes. */
const stride = 5;

const deadlineMs = 900_000;

describe.skipIf(!labAvailability.available)(titled("killed exports", labAvailability), () => {
  const lab = useLab();
  let ground: TargetGround;
  beforeAll(() => {
    ground = new TargetGround(lab.current());
  });
  afterAll(() => ground?.close());

  const openTargets: Readonly<Record<string, (address: string) => TargetDriver>> = {
    iscsi: (address) => createIscsiTarget({ portals: [`${address}:3260`] }),
    nvmet: (address) => createNvmetTarget({ portals: [`${address}:4420`] }),
  };

  test.each(Object.keys(openTargets))(
    "%s: the next call puts right what a killed one left",
    async (name) => {
      const [address] = ground.storage.storageAddresses;
      const target = openTargets[name]?.(address);
      const [consumer] = lab.current().consumers;
      if (target === undefined || consumer === undefined) throw new Error("The lab has no consumer.");
      const connector = connectorOf(consumer);
      const { context } = ground;
      const [volume, bystander] = [await ground.volume(), await ground.volume()];
      await target.initializeConnection(bystander, connector, "rw", context);
      const before = await listingOf(ground.storage);
      /** Runs `work` with a kill at every place of it, and `heal` after each. */
      const killEverywhere = async (
        work: (context: TargetGround["context"]) => Promise<unknown>,
        heal: () => Promise<void>,
      ) => {
        for (let step = 1; ; step += stride) {
          const executor = new KillingExecutor(ground.host, step);
          await work(ground.contextOn(executor)).catch(() => undefined);
          // What a kill left may be anything, but it never keeps the rest from being listed.
          await target.exports(context);
          await heal();
          if (!executor.killed) return;
        }
      };

      await killEverywhere(
        (killed) => target.initializeConnection(volume, connector, "rw", killed),
        async () => {
          await target.initializeConnection(volume, connector, "rw", context);
          expect((await target.exports(context)).get(volume.id)).toMatchObject({
            fault: null,
            granted: new Map([[target.initiatorOf(connector), "rw"]]),
          });
          await target.removeExport(volume, context);
        },
      );
      await killEverywhere(
        async (killed) => {
          await target.initializeConnection(volume, connector, "rw", context);
          await target.terminateConnection(volume, connector, killed);
        },
        async () => {
          await target.terminateConnection(volume, connector, context);
          expect((await target.exports(context)).get(volume.id)).toMatchObject({
            fault: null,
            granted: new Map(),
          });
        },
      );
      await killEverywhere(
        async (killed) => {
          await target.initializeConnection(volume, connector, "rw", context);
          await target.removeExport(volume, killed);
        },
        async () => {
          await target.removeExport(volume, context);
          expect([...(await target.exports(context)).keys()]).toEqual([bystander.id]);
        },
      );
      expect(await listingOf(ground.storage)).toEqual(before);
      await target.removeExport(bystander, context);
      for (const made of [volume, bystander]) await ground.discard(made);
    },
    deadlineMs,
  );
});
