import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createIscsiTarget } from "../../src/targets/iscsi/index.ts";
import { foreign } from "../lab/foreign.ts";
import { listingOf } from "../lab/listing.ts";
import { labAvailability, useLab } from "../lab/use-lab.ts";
import { titled } from "../support/availability.ts";
import { waitFor } from "../support/wait-for.ts";
import {
  deviceOf,
  deviceSize,
  iscsiLogin,
  iscsiLoginRefused,
  iscsiLogout,
  readText,
  writeText,
} from "./consumers.ts";
import { connectorOf, TargetGround } from "./ground.ts";

describe.skipIf(!labAvailability.available)(titled("LIO on a real kernel", labAvailability), () => {
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
  const portals = () => ground.storage.storageAddresses.map((address) => `${address}:3260`);
  const openTarget = () => createIscsiTarget({ portals: portals() });
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
      const credentials = await target.credentials(volume, connector, context);
      const exported = await listingOf(storage);
      expect(await target.initializeConnection(volume, connector, "rw", context)).toEqual(connection);
      expect(await target.credentials(volume, connector, context)).toEqual(credentials);
      expect(await listingOf(storage)).toEqual(exported);
      expect(await stateOf(volume.id)).toMatchObject({
        volumeId: volume.id,
        sizeBytes: volume.sizeBytes,
        fault: null,
        granted: new Map([[first.initiator, "rw"]]),
      });

      expect(await iscsiLogin(first, connection, credentials)).toMatchObject({ status: 0 });
      expect(await writeText(first, connection, "written on the consumer")).toMatchObject({ status: 0 });
      expect(await first.run(`head -c 23 '${volume.location}'`).catch(() => "")).toBe("");
      expect(
        await storage.run(`dd if='${volume.location}' bs=4096 count=1 iflag=direct status=none | head -c 23`),
      ).toBe("written on the consumer");
      const serial = `cat /sys/block/$(basename $(readlink -f ${deviceOf(connection)}))/device/vpd_pg80`;
      expect(await first.run(`${serial} | tr -d '\\0' | tail -c 36`)).toBe(connection.data["serial"]);

      const grown = await ground.grow(volume);
      await target.ensureExport(grown, context);
      expect((await stateOf(volume.id))?.sizeBytes).toBe(grown.sizeBytes);
      await first.run("iscsiadm -m session --rescan");
      await waitFor(
        "the larger device",
        async () => (await deviceSize(first, connection)) === grown.sizeBytes,
      );
      expect(await readText(first, connection)).toContain("written on the consumer");

      await iscsiLogout(first, connection);
      for (const _ of ["once", "again"]) await target.terminateConnection(volume, connector, context);
      expect((await stateOf(volume.id))?.granted).toEqual(new Map());
      for (const _ of ["once", "again"]) await target.removeExport(volume, context);
      expect(await stateOf(volume.id)).toBeUndefined();
      await ground.discard(volume);
      expect(await listingOf(storage)).toEqual(before);
      expect(await storage.run("find /var/lib/breezeblock -type f -not -name exports.lock")).toBe("");
    },
  );

  test("CHAP: a wrong password, another initiator and no password are refused; the password is nowhere else", async () => {
    const { storage, first, second } = guests();
    const target = openTarget();
    const { context } = ground;
    const volume = await ground.volume();
    const connector = connectorOf(first);
    await target.createExport(volume, context);
    const connection = await target.initializeConnection(volume, connector, "rw", context);
    const credentials = await target.credentials(volume, connector, context);
    if (credentials === null) throw new Error("There are no credentials.");
    expect(credentials.password).toMatch(/^[A-Za-z0-9]{16}$/);
    const login = async (consumer: typeof first, with_: typeof credentials | null) => {
      const { status } = await iscsiLogin(consumer, connection, with_);
      await iscsiLogout(consumer, connection);
      return status;
    };
    expect(await login(first, { ...credentials, password: "wrongwrongwrong1" })).toBe(iscsiLoginRefused);
    expect(await login(first, null)).toBe(iscsiLoginRefused);
    expect(await login(second, credentials)).toBe(iscsiLoginRefused);
    expect(await login(first, credentials)).toBe(0);

    const { password } = credentials;
    expect(ground.logged.filter((line) => line.includes(password))).toEqual([]);
    const places = `grep -rlsF ${password} /var /etc /run /tmp /root /srv /sys/kernel/config; true`;
    expect((await storage.run(places)).trim().split("\n").sort()).toEqual([
      `/sys/kernel/config/target/iscsi/${connection.data["target_iqn"]}/tpgt_1/acls/${first.initiator}/auth/password`,
      `/var/lib/breezeblock/exports/${volume.id}.chap`,
    ]);
    expect(await storage.run(`stat -c %a /var/lib/breezeblock/exports/${volume.id}.chap`)).toContain("600");
    await expect(target.credentials(volume, connectorOf(second), context)).rejects.toMatchObject({
      kind: "VolumeBackendError",
      message: expect.not.stringContaining(password),
    });
    await target.removeExport(volume, context);
    await ground.discard(volume);
  });

  test("CON-2: read-only access refuses writes, until it is changed", async () => {
    const { first } = guests();
    const target = openTarget();
    const { context } = ground;
    const volume = await ground.volume();
    const connector = connectorOf(first);
    const connection = await target.initializeConnection(volume, connector, "ro", context);
    expect((await stateOf(volume.id))?.granted).toEqual(new Map([[first.initiator, "ro"]]));
    await iscsiLogin(first, connection, await target.credentials(volume, connector, context));
    expect((await writeText(first, connection, "x")).status).not.toBe(0);
    // The consumer may be wrong about what it can write; the target is what refuses.
    await first.run(`blockdev --setrw ${deviceOf(connection)}`);
    expect((await writeText(first, connection, "x")).status).not.toBe(0);
    await iscsiLogout(first, connection);

    await target.initializeConnection(volume, connector, "rw", context);
    await iscsiLogin(first, connection, await target.credentials(volume, connector, context));
    expect((await writeText(first, connection, "x")).status).toBe(0);
    await iscsiLogout(first, connection);
    await target.removeExport(volume, context);
    await ground.discard(volume);
  });

  test("CON-4, CON-5: access is gone at once, also for who is logged in; others keep theirs", async () => {
    const { first, second } = guests();
    const target = openTarget();
    const { context } = ground;
    const volume = await ground.volume();
    const connection = await target.initializeConnection(volume, connectorOf(first), "rw", context);
    await target.initializeConnection(volume, connectorOf(second), "rw", context);
    for (const consumer of [first, second]) {
      const credentials = await target.credentials(volume, connectorOf(consumer), context);
      expect((await iscsiLogin(consumer, connection, credentials)).status).toBe(0);
    }
    const former = await target.credentials(volume, connectorOf(first), context);
    expect((await writeText(first, connection, "from the first")).status).toBe(0);

    await target.terminateConnection(volume, connectorOf(first), context);
    expect((await writeText(first, connection, "too late")).status).not.toBe(0);
    expect(await readText(second, connection)).toContain("from the first");
    expect((await writeText(second, connection, "from the second")).status).toBe(0);
    expect([...((await stateOf(volume.id))?.granted.keys() ?? [])]).toEqual([second.initiator]);
    await iscsiLogout(first, connection);
    expect((await iscsiLogin(first, connection, former)).status).toBe(iscsiLoginRefused);

    await target.terminateConnection(volume, null, context);
    expect((await writeText(second, connection, "too late")).status).not.toBe(0);
    expect((await stateOf(volume.id))?.granted).toEqual(new Map());
    for (const consumer of [first, second]) await iscsiLogout(consumer, connection);
    await target.removeExport(volume, context);
    await ground.discard(volume);
  });

  test("EXP-1: an export that consumers are logged in to is removed all the same", async () => {
    const { first } = guests();
    const target = openTarget();
    const { context } = ground;
    const volume = await ground.volume();
    const connection = await target.initializeConnection(volume, connectorOf(first), "rw", context);
    await iscsiLogin(first, connection, await target.credentials(volume, connectorOf(first), context));
    await target.removeExport(volume, context);
    await ground.discard(volume);
    expect((await writeText(first, connection, "too late")).status).not.toBe(0);
    await iscsiLogout(first, connection);
  });

  test("what somebody took away from an export, or added to it, shows and is put right", async () => {
    const { storage, first, second } = guests();
    const target = openTarget();
    const { context } = ground;
    const volume = await ground.volume();
    const connection = await target.initializeConnection(volume, connectorOf(first), "rw", context);
    const before = await listingOf(storage);
    const tpg = `/sys/kernel/config/target/iscsi/${connection.data["target_iqn"]}/tpgt_1`;
    const [portal = ""] = portals();
    const damages: readonly (readonly [command: string, fault: string | null])[] = [
      [`rmdir ${tpg}/np/${portal}`, `portal ${portal} is missing`],
      [`echo 0 > ${tpg}/enable`, `the target ${connection.data["target_iqn"]} is disabled`],
      [`echo 0 > ${tpg}/attrib/authentication`, "CHAP is not required"],
      [`echo 1 > ${tpg}/attrib/generate_node_acls`, "any initiator has access"],
      [
        `mkdir -p ${tpg}/acls/${second.initiator}/lun_0 && ln -s ${tpg}/lun/lun_0 ${tpg}/acls/${second.initiator}/lun_0/x`,
        `${second.initiator} has access that breezeblock did not give`,
      ],
      [`rm ${tpg}/acls/*/lun_0/lun && rmdir ${tpg}/acls/*/lun_0 ${tpg}/acls/*`, null],
    ];
    for (const [command, fault] of damages) {
      await storage.run(command);
      const damaged = await stateOf(volume.id);
      expect(damaged?.fault).toBe(fault);
      if (fault === null) expect(damaged?.granted).toEqual(new Map());
      await target.ensureExport(volume, context);
      expect(await stateOf(volume.id)).toMatchObject({
        fault: null,
        granted: new Map([[first.initiator, "rw"]]),
      });
    }
    // As after a reboot, or after somebody cleared everything.
    await storage.run("targetcli clearconfig confirm=True");
    expect((await stateOf(volume.id))?.fault).toBe("the backstore is missing");
    const credentials = await target.credentials(volume, connectorOf(first), context);
    await target.ensureExport(volume, context);
    await storage.run("targetctl restore >/dev/null; true");
    await target.ensureExport(volume, context);
    expect(await listingOf(storage)).toEqual(before);
    expect((await iscsiLogin(first, connection, credentials)).status).toBe(0);
    await iscsiLogout(first, connection);
    await target.removeExport(volume, context);
    await ground.discard(volume);
  });

  test("an export that has ended, and comes back with a saved configuration, is ended again", async () => {
    const { storage, first } = guests();
    const target = openTarget();
    const { context } = ground;
    const [own, kept] = [await ground.volume(), await ground.volume()];
    // As an adopted one: nothing of its path is the volume's id.
    const uuids = await storage.run(`lvs --noheadings -o vg_uuid,lv_uuid ${own.location} | tr -d ' \\n-'`);
    const ended = { ...own, ownPath: `/dev/disk/by-id/dm-uuid-LVM-${uuids.trim()}` };
    for (const volume of [ended, kept]) {
      await target.initializeConnection(volume, connectorOf(first), "rw", context);
    }
    await storage.run("targetcli saveconfig /root/saved.json >/dev/null");
    await target.removeExport(ended, context);
    const targets = () => storage.run("find /sys/kernel/config/target -maxdepth 3");
    await storage.run("targetcli restoreconfig /root/saved.json clear_existing=true >/dev/null");
    expect(await targets()).toContain(ended.id);
    expect(await storage.run("cat /sys/kernel/config/target/core/*/*/udev_path")).toContain(ended.ownPath);
    await storage.run("sh /var/lib/breezeblock/restore-exports; rm /root/saved.json");
    expect(await targets()).not.toContain(ended.id);
    expect(await targets()).toContain(foreign.target);
    expect((await target.exports(context)).get(kept.id)?.fault).toBeNull();
    await target.removeExport(kept, context);
    for (const volume of [ended, kept]) await ground.discard(volume);
  });

  test("targets that breezeblock did not make are left alone, whatever their names", async () => {
    const { storage, first } = guests();
    const target = openTarget();
    const { context } = ground;
    const volume = await ground.volume();
    const other = await ground.volume();
    const lio = "/sys/kernel/config/target";
    const sameName = `iqn.2025-11.io.breezeblock:${volume.id}`;
    const similar = `iqn.2025-11.io.breezeblock:${randomUUID()}`;
    await storage.run(
      `set -e; mkdir -p ${lio}/core/iblock_7/theirs; printf udev_path=${other.location} > ${lio}/core/iblock_7/theirs/control
      echo 1 > ${lio}/core/iblock_7/theirs/enable
      for iqn in ${sameName} ${similar}; do
        mkdir -p ${lio}/iscsi/$iqn/tpgt_1/lun/lun_0; ln -s ${lio}/core/iblock_7/theirs ${lio}/iscsi/$iqn/tpgt_1/lun/lun_0/x
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
      `set -e; for iqn in ${sameName} ${similar}; do cd ${lio}/iscsi/$iqn/tpgt_1; rm lun/lun_0/x; rmdir lun/lun_0 ../tpgt_1; rmdir ${lio}/iscsi/$iqn; done
      rmdir ${lio}/core/iblock_7/theirs ${lio}/core/iblock_7`,
    );
    for (const made of [volume, other]) await ground.discard(made);
  });

  test("a portal that is taken out of the settings stays for who is logged in there, and goes with the export", async () => {
    const { storage, first } = guests();
    const { context } = ground;
    const [one = "", other = ""] = storage.storageAddresses;
    const volume = await ground.volume();
    const before = await listingOf(storage);
    const target = createIscsiTarget({ portals: [`${one}:3260`] });
    const connection = await target.initializeConnection(volume, connectorOf(first), "rw", context);
    const credentials = await target.credentials(volume, connectorOf(first), context);
    expect((await iscsiLogin(first, connection, credentials)).status).toBe(0);

    const moved = createIscsiTarget({ portals: [`${other}:3260`] });
    const faultOf = async () => (await moved.exports(context)).get(volume.id)?.fault;
    expect(await faultOf()).toBe(`exported at ${one}:3260`);
    await moved.ensureExport(volume, context);
    expect(await faultOf()).toBe(`exported at ${one}:3260`);
    const again = await moved.initializeConnection(volume, connectorOf(first), "rw", context);
    expect(again.data["target_portals"]).toEqual([`${other}:3260`]);
    expect(await faultOf()).toBeNull();
    const portals = await storage.run(`ls /sys/kernel/config/target/iscsi/*${volume.id}/tpgt_1/np`);
    expect(portals.trim().split("\n").sort()).toEqual([`${one}:3260`, `${other}:3260`].sort());

    await iscsiLogout(first, connection);
    await moved.removeExport(volume, context);
    expect(await listingOf(storage)).toEqual(before);
    await ground.discard(volume);
  });

  test("a port on which another target listens for every address is shared with it", async () => {
    const { storage, first } = guests();
    const { context } = ground;
    const [address = ""] = storage.storageAddresses;
    const target = createIscsiTarget({ portals: [`${address}:3261`] });
    const theirs = "/sys/kernel/config/target/iscsi/iqn.2003-01.org.example.san:open";
    await storage.run(`mkdir -p ${theirs}/tpgt_1/np/0.0.0.0:3261`);
    const volume = await ground.volume();
    const connection = await target.initializeConnection(volume, connectorOf(first), "rw", context);
    expect(connection.data["target_portals"]).toEqual([`${address}:3261`]);
    expect((await target.exports(context)).get(volume.id)?.fault).toBeNull();
    const credentials = await target.credentials(volume, connectorOf(first), context);
    expect(await iscsiLogin(first, connection, credentials)).toMatchObject({ status: 0 });
    await iscsiLogout(first, connection);
    await target.removeExport(volume, context);
    await storage.run(`rmdir ${theirs}/tpgt_1/np/0.0.0.0:3261 ${theirs}/tpgt_1 ${theirs}`);
    await ground.discard(volume);
  });

  test("SET-2: portals that the host does not have, or that something else holds, are said by name", async () => {
    const { storage } = guests();
    const { context } = ground;
    const [address = ""] = storage.storageAddresses;
    const elsewhere = createIscsiTarget({ portals: [`${address}:3260`, "198.51.100.7:3260"] });
    await expect(elsewhere.checkForSetupError(context)).rejects.toMatchObject({
      attribute: ["portals", 1],
      reason: expect.stringContaining("198.51.100.7:3260"),
    });
    const taken = createIscsiTarget({ portals: [`${address}:22`] });
    const volume = await ground.volume();
    await expect(taken.createExport(volume, context)).rejects.toMatchObject({
      attribute: ["portals"],
      reason: expect.stringContaining(`${address}:22`),
    });
    await taken.removeExport(volume, context);
    await ground.discard(volume);
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
