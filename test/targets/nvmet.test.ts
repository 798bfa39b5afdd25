import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createNvmetTarget } from "../../src/targets/nvmet/index.ts";
import { listingOf } from "../lab/listing.ts";
import { labAvailability, useLab } from "../lab/use-lab.ts";
import { titled } from "../support/availability.ts";
import { waitFor } from "../support/wait-for.ts";
import { deviceOf, deviceSize, nvmeConnect, nvmeDisconnect, readText, writeText } from "./consumers.ts";
import { connectorOf, TargetGround } from "./ground.ts";

const nvmet = "/sys/kernel/config/nvmet";

describe.skipIf(!labAvailability.available)(titled("nvmet on a real kernel", labAvailability), () => {
  const lab = useLab({ consumers: 2, foreign: true });
  let ground: TargetGround;
  beforeAll(() => {
    ground = new TargetGround(lab.current());
  });
  afterAll(() => ground?.close());

  const guests = () => {
    const [first, second] = lab.current().consumers;
    if (first === undefined || second === undefined) throw new Error("The lab has no two consumers.");
    return { storage: ground.storage, first, second };
  };
  const portals = () => ground.storage.storageAddresses.map((address) => `${address}:4420`);
  const openTarget = () => createNvmetTarget({ portals: portals() });
  const stateOf = async (id: string) => (await openTarget().exports(ground.context)).get(id);

  test.each(["device", "file"] as const)(
    "EXP-1, CON-2, CON-4, EXT-1: a %s is exported, used, grown and gone, and nothing else has changed",
    async (kind) => {
      const { storage, first } = guests();
      const target = openTarget();
      const { context } = ground;
      await target.checkForSetupError(context);
      const before = await listingOf(storage);
      const volume = await ground.volume(kind);
      const connector = connectorOf(first);
      await target.createExport(volume, context);
      await target.ensureExport(volume, context);
      const connection = await target.initializeConnection(volume, connector, "rw", context);
      const exported = await listingOf(storage);
      expect(await target.initializeConnection(volume, connector, "rw", context)).toEqual(connection);
      expect(await listingOf(storage)).toEqual(exported);
      expect(await stateOf(volume.id)).toMatchObject({
        volumeId: volume.id,
        sizeBytes: volume.sizeBytes,
        fault: null,
        granted: new Map([[first.hostNqn, "rw"]]),
      });

      expect(await nvmeConnect(first, connection)).toMatchObject({ status: 0 });
      expect(await writeText(first, connection, "written on the consumer")).toMatchObject({ status: 0 });
      expect(
        await storage.run(`dd if='${volume.location}' bs=4096 count=1 iflag=direct status=none | head -c 23`),
      ).toBe("written on the consumer");
      const uuid = `cat /sys/block/$(basename $(readlink -f ${deviceOf(connection)}))/uuid`;
      expect((await first.run(uuid)).trim()).toBe(connection.data["uuid"]);

      const grown = await ground.grow(volume);
      await target.ensureExport(grown, context);
      expect((await stateOf(volume.id))?.sizeBytes).toBe(grown.sizeBytes);
      await waitFor(
        "the larger device",
        async () => (await deviceSize(first, connection)) === grown.sizeBytes,
      );
      expect(await readText(first, connection)).toContain("written on the consumer");

      await nvmeDisconnect(first, connection);
      for (const _ of ["once", "again"]) await target.terminateConnection(volume, connector, context);
      expect((await stateOf(volume.id))?.granted).toEqual(new Map());
      expect((await nvmeConnect(first, connection)).status).not.toBe(0);
      for (const _ of ["once", "again"]) await target.removeExport(volume, context);
      expect(await stateOf(volume.id)).toBeUndefined();
      await ground.discard(volume);
      expect(await listingOf(storage)).toEqual(before);
      expect(
        await storage.run("find /var/lib/breezeblock /run/breezeblock -type f -not -name exports.lock"),
      ).toBe("");
    },
  );

  test("CON-4, CON-5: access is gone at once, also for who is connected; others come back by themselves", async () => {
    const { first, second } = guests();
    const target = openTarget();
    const { context } = ground;
    const volume = await ground.volume();
    const connection = await target.initializeConnection(volume, connectorOf(first), "rw", context);
    expect((await nvmeConnect(second, connection)).status).not.toBe(0);
    await target.initializeConnection(volume, connectorOf(second), "rw", context);
    for (const consumer of [first, second]) {
      expect(await nvmeConnect(consumer, connection)).toMatchObject({ status: 0 });
    }
    expect((await writeText(first, connection, "from the first")).status).toBe(0);

    await target.terminateConnection(volume, connectorOf(first), context);
    expect((await writeText(first, connection, "too late")).status).not.toBe(0);
    expect(await readText(second, connection)).toContain("from the first");
    expect((await writeText(second, connection, "from the second")).status).toBe(0);
    expect([...((await stateOf(volume.id))?.granted.keys() ?? [])]).toEqual([second.hostNqn]);
    await nvmeDisconnect(first, connection);
    expect((await nvmeConnect(first, connection)).status).not.toBe(0);

    await target.terminateConnection(volume, null, context);
    expect((await writeText(second, connection, "too late")).status).not.toBe(0);
    expect((await stateOf(volume.id))?.granted).toEqual(new Map());
    await nvmeDisconnect(second, connection);
    await target.removeExport(volume, context);
    await ground.discard(volume);
  });

  test("CON-2: read-only access is refused, because the kernel cannot give it", async () => {
    const { first, storage } = guests();
    const volume = await ground.volume();
    const before = await listingOf(storage);
    await expect(
      openTarget().initializeConnection(volume, connectorOf(first), "ro", ground.context),
    ).rejects.toMatchObject({ kind: "NotSupported" });
    expect(await listingOf(storage)).toEqual(before);
    await ground.discard(volume);
  });

  test("EXP-1: an export that consumers are connected to is removed all the same", async () => {
    const { first } = guests();
    const target = openTarget();
    const { context } = ground;
    const volume = await ground.volume();
    const connection = await target.initializeConnection(volume, connectorOf(first), "rw", context);
    expect(await nvmeConnect(first, connection)).toMatchObject({ status: 0 });
    await target.removeExport(volume, context);
    await ground.discard(volume);
    expect((await writeText(first, connection, "too late")).status).not.toBe(0);
    await nvmeDisconnect(first, connection);
  });

  test("what somebody took away from an export, or added to it, shows and is put right", async () => {
    const { storage, first, second } = guests();
    const target = openTarget();
    const { context } = ground;
    const volume = await ground.volume();
    const connection = await target.initializeConnection(volume, connectorOf(first), "rw", context);
    const nqn = connection.data["target_nqn"];
    const subsystem = `${nvmet}/subsystems/${nqn}`;
    const [address = ""] = storage.storageAddresses;
    const damages: readonly (readonly [command: string, fault: string | null])[] = [
      [
        `for port in ${nvmet}/ports/*; do [ $(cat $port/addr_traddr) != ${address} ] || rm -f $port/subsystems/${nqn}; done`,
        `portal ${address} port 4420 is missing`,
      ],
      [`echo 0 > ${subsystem}/namespaces/1/enable`, "the namespace is disabled"],
      [
        `mkdir -p ${nvmet}/hosts/${second.hostNqn} && ln -s ${nvmet}/hosts/${second.hostNqn} ${subsystem}/allowed_hosts/`,
        `${second.hostNqn} has access that breezeblock did not give`,
      ],
      [`rm ${subsystem}/allowed_hosts/* && echo 1 > ${subsystem}/attr_allow_any_host`, "any host has access"],
      [`rm -f ${subsystem}/allowed_hosts/*`, null],
    ];
    for (const [command, fault] of damages) {
      await storage.run(command);
      const damaged = await stateOf(volume.id);
      expect(damaged?.fault).toBe(fault);
      if (fault === null) expect(damaged?.granted).toEqual(new Map());
      await target.ensureExport(volume, context);
      expect(await stateOf(volume.id)).toMatchObject({
        fault: null,
        granted: new Map([[first.hostNqn, "rw"]]),
      });
    }
    // Whoever made it is who takes it away.
    await storage.run(`rmdir ${nvmet}/hosts/${second.hostNqn}`);
    await target.removeExport(volume, context);
    await ground.discard(volume);
  });

  test("a portal that is taken out of the settings stays for who is connected there, also when another leaves", async () => {
    const { storage, first, second } = guests();
    const { context } = ground;
    const [one = "", other = ""] = storage.storageAddresses;
    const volume = await ground.volume();
    const before = await listingOf(storage);
    const target = createNvmetTarget({ portals: [`${one}:4420`] });
    for (const host of [first, second]) {
      await target.initializeConnection(volume, connectorOf(host), "rw", context);
    }
    const moved = createNvmetTarget({ portals: [`${other}:4420`] });
    const faultOf = async () => (await moved.exports(context)).get(volume.id)?.fault;
    expect(await faultOf()).toBe(`exported at ${one} port 4420`);
    await moved.initializeConnection(volume, connectorOf(first), "rw", context);
    await moved.terminateConnection(volume, connectorOf(second), context);
    expect(await faultOf()).toBeNull();
    const listening = await storage.run(
      `for link in ${nvmet}/ports/*/subsystems/*${volume.id}; do cat \${link%/subsystems/*}/addr_traddr; done`,
    );
    expect(listening.trim().split("\n").sort()).toEqual([one, other].sort());
    await moved.removeExport(volume, context);
    expect(await listingOf(storage)).toEqual(before);
    await ground.discard(volume);
  });

  test("subsystems that breezeblock did not make are left alone, whatever their names", async () => {
    const { storage, first } = guests();
    const target = openTarget();
    const { context } = ground;
    const volume = await ground.volume();
    const other = await ground.volume();
    const sameName = `nqn.2025-11.io.breezeblock:${volume.id}`;
    const similar = `nqn.2025-11.io.breezeblock:${randomUUID()}`;
    await storage.run(
      `set -e; for nqn in ${sameName} ${similar}; do
        mkdir -p ${nvmet}/subsystems/$nqn/namespaces/1
        printf ${other.location} > ${nvmet}/subsystems/$nqn/namespaces/1/device_path
      done`,
    );
    const before = await listingOf(storage);
    for (const attempt of [
      target.createExport(volume, context),
      target.initializeConnection(volume, connectorOf(first), "rw", context),
    ]) {
      await expect(attempt).rejects.toMatchObject({
        kind: "NotOwned",
        reason: expect.stringContaining(sameName),
      });
    }
    await target.terminateConnection(volume, null, context);
    await target.removeExport(volume, context);
    expect(await target.exports(context)).toEqual(new Map());
    expect(await listingOf(storage)).toEqual(before);
    await storage.run(
      `set -e; for nqn in ${sameName} ${similar}; do rmdir ${nvmet}/subsystems/$nqn/namespaces/1 ${nvmet}/subsystems/$nqn; done`,
    );
    for (const made of [volume, other]) await ground.discard(made);
  });

  test.each([
    ["at the same address", (address: string) => address],
    ["for every address", () => "0.0.0.0"],
  ])("somebody's port that listens %s is used, and never changed", async (_, theirs) => {
    const { storage, first } = guests();
    const { context } = ground;
    const [address = ""] = storage.storageAddresses;
    // The kernel chooses some sizes when a port is first used; a choice of theirs keeps them what they are.
    await storage.run(
      `set -e; mkdir ${nvmet}/ports/5; cd ${nvmet}/ports/5; echo tcp > addr_trtype; echo ipv4 > addr_adrfam
      echo ${theirs(address)} > addr_traddr; echo 4430 > addr_trsvcid; echo 8192 > param_inline_data_size
      if [ -e param_mdts ]; then echo 0 > param_mdts; fi; mkdir ${nvmet}/hosts/${first.hostNqn}`,
    );
    const before = await listingOf(storage);
    const target = createNvmetTarget({ portals: [`${address}:4430`] });
    const volume = await ground.volume();
    const connection = await target.initializeConnection(volume, connectorOf(first), "rw", context);
    expect((await target.exports(context)).get(volume.id)?.fault).toBeNull();
    expect(await storage.run(`ls ${nvmet}/ports`)).toBe("5\n99\n");
    expect(await nvmeConnect(first, connection)).toMatchObject({ status: 0 });
    await nvmeDisconnect(first, connection);
    await target.removeExport(volume, context);
    await ground.discard(volume);
    expect(await listingOf(storage)).toEqual(before);
    await storage.run(`rmdir ${nvmet}/ports/5 ${nvmet}/hosts/${first.hostNqn}`);
  });

  test("a portal that cannot be listened on is said by name, and leaves no port behind", async () => {
    const { storage } = guests();
    const { context } = ground;
    const [address = ""] = storage.storageAddresses;
    const before = await listingOf(storage);
    const volume = await ground.volume();
    for (const portal of [`${address}:22`, "198.51.100.7:4420"]) {
      const target = createNvmetTarget({ portals: [portal] });
      await expect(target.createExport(volume, context)).rejects.toMatchObject({
        attribute: ["portals"],
        reason: expect.stringContaining(portal.replace(":", " port ")),
      });
      await target.removeExport(volume, context);
    }
    await ground.discard(volume);
    expect(await listingOf(storage)).toEqual(before);
  });

  test("a listing is one command", async () => {
    const volume = await ground.volume();
    await openTarget().createExport(volume, ground.context);
    const { commands } = ground.host.stats();
    expect((await openTarget().exports(ground.context)).size).toBe(1);
    expect(ground.host.stats().commands).toBe(commands + 1);
    await openTarget().removeExport(volume, ground.context);
    await ground.discard(volume);
  });
});
