import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createIscsiTarget } from "../../src/targets/iscsi/index.ts";
import { createNvmetTarget } from "../../src/targets/nvmet/index.ts";
import { listingOf } from "../lab/listing.ts";
import { labAvailability, useLab } from "../lab/use-lab.ts";
import { titled } from "../support/availability.ts";
import { waitFor } from "../support/wait-for.ts";
import { iscsiLogin, iscsiLogout, nvmeConnect, nvmeDisconnect } from "./consumers.ts";
import { connectorOf, TargetGround } from "./ground.ts";

describe.skipIf(!labAvailability.available)(titled("exports over a reboot", labAvailability), () => {
  const lab = useLab({ foreign: true });
  let ground: TargetGround;
  beforeAll(() => {
    ground = new TargetGround(lab.current());
  });
  afterAll(() => ground?.close());

  test("the storage host comes back with its exports, with access and passwords, and with everybody else's", async () => {
    const { storage, context } = ground;
    const [consumer] = lab.current().consumers;
    if (consumer === undefined) throw new Error("The lab has no consumer.");
    const connector = connectorOf(consumer);
    const [address] = storage.storageAddresses;
    const iscsi = createIscsiTarget({ portals: [`${address}:3260`] });
    const nvmet = createNvmetTarget({ portals: [`${address}:4420`] });
    const before = await listingOf(storage);
    const [first, second] = [await ground.volume(), await ground.volume("file")];
    const iscsiConnection = await iscsi.initializeConnection(first, connector, "rw", context);
    const nvmeConnection = await nvmet.initializeConnection(second, connector, "rw", context);
    const credentials = await iscsi.credentials(first, connector, context);
    const exported = await listingOf(storage);

    const comeBack = () =>
      waitFor(
        "the exports",
        async () => {
          expect((await iscsi.exports(context)).get(first.id)?.fault).toBeNull();
          expect((await nvmet.exports(context)).get(second.id)?.fault).toBeNull();
          return true;
        },
        { deadlineMs: 120_000, intervalMs: 500 },
      );
    await storage.reboot();
    await comeBack();
    expect(await listingOf(storage)).toEqual(exported);
    expect(await iscsi.credentials(first, connector, context)).toEqual(credentials);
    expect(await iscsiLogin(consumer, iscsiConnection, credentials)).toMatchObject({ status: 0 });
    expect(await nvmeConnect(consumer, nvmeConnection)).toMatchObject({ status: 0 });
    await iscsiLogout(consumer, iscsiConnection);
    await nvmeDisconnect(consumer, nvmeConnection);

    // Stopping this clears the kernel's whole configuration, and starting it brings back other people's.
    await storage.run("systemctl restart rtslib-fb-targetctl.service");
    await comeBack();
    expect(await listingOf(storage)).toEqual(exported);

    await iscsi.removeExport(first, context);
    await nvmet.removeExport(second, context);
    for (const volume of [first, second]) await ground.discard(volume);
    expect(await listingOf(storage)).toEqual(before);
  });
});
