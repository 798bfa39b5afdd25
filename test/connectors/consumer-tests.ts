import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isStorageError } from "../../src/contract/index.ts";
import { listingOf } from "../lab/listing.ts";
import { labAvailability, useLab } from "../lab/use-lab.ts";
import { titled } from "../support/availability.ts";
import { KillingExecutor } from "../support/killing-executor.ts";
import { waitFor } from "../support/wait-for.ts";
import { ConnectorGround, filesystemRequest, type NetworkProtocol } from "./ground.ts";

/** What holds for consumers of every network protocol. */
export function declareConsumerTests(protocol: NetworkProtocol): void {
  const name = titled(`consumers of ${protocol}`, labAvailability);
  describe.skipIf(!labAvailability.available)(name, () => {
    const lab = useLab({ foreign: true });
    let ground: ConnectorGround;
    beforeAll(() => {
      ground = new ConnectorGround(lab.current(), protocol);
    });
    afterAll(() => ground?.close());

    const bothListings = async () => [await listingOf(ground.storage), await listingOf(ground.consumer)];
    const connectionOf = async (id: string) => (await ground.connector.connections(ground.context)).get(id);
    const mountsOf = async (id: string) => {
      const device = (await connectionOf(id))?.device;
      const devices = new Map(device ? [[id, device]] : []);
      return (await ground.filesystems.mounts(devices, ground.context)).get(id);
    };

    test.each(["ext4", "xfs"] as const)(
      "%s is made, mounted, grown while it is written, and gone; nothing else has changed on either host",
      async (type) => {
        const { connector, filesystems, context, consumer } = ground;
        const before = await bothListings();
        const granted = await ground.granted();
        const { id } = granted.volume;
        const wanted = filesystemRequest("/srv/some data", {
          ...{ type, mountOptions: ["noatime"], label: "data", owner: "nobody:nogroup", mode: "0750" },
        });
        const { device, point } = await ground.mounted(granted, wanted);
        expect(device).toMatchObject({ volumeId: id, sizeBytes: granted.volume.sizeBytes, multipath: false });
        expect(await connectionOf(id)).toEqual({ volumeId: id, device, fault: null });
        expect(await consumer.run(`stat -c '%U:%G %a' '${point}'`)).toBe("nobody:nogroup 750\n");
        expect(await consumer.run(`findmnt -no OPTIONS '${point}'`)).toContain("noatime");

        // Repeating changes nothing, and asks for no new file system.
        const whole = await listingOf(consumer);
        const commands = ground.consumerHost.stats().commands;
        expect(await connector.connectVolume(granted.request, context)).toEqual(device);
        await filesystems.ensureFilesystem(device, wanted, undefined, context);
        await filesystems.mount(device, wanted, context);
        expect(ground.consumerHost.stats().commands - commands).toBe(3);
        expect(await listingOf(consumer)).toEqual(whole);

        await consumer.run(
          `cd '${point}' && touch writing && { while [ -e writing ]; do dd if=/dev/urandom of=f$((n=n+1)) bs=64k count=4 conv=fsync status=none && sha256sum f$n >>sums || echo failed >>sums; sleep 0.3; done >/dev/null 2>&1 & }`,
        );
        await waitFor("writing", async () => (await consumer.attempt(`[ -s '${point}/sums' ]`)).status === 0);
        const smaller = (await mountsOf(id))?.[0]?.sizeBytes ?? 0;
        const grown = await ground.grow(granted);
        const larger = await connector.extendVolume(grown.request, context);
        expect(larger.sizeBytes).toBe(grown.volume.sizeBytes);
        const { sizeBytes } = await filesystems.grow(larger, wanted, context);
        expect(sizeBytes).toBeGreaterThan(smaller * 1.8);
        expect(await filesystems.grow(larger, wanted, context)).toMatchObject({ sizeBytes });
        await consumer.run(`rm '${point}/writing'; cd '${point}' && sha256sum -c --quiet sums`);
        await waitFor("the writer to end", async () => {
          return (await consumer.attempt(`fuser -sm '${point}'`)).status !== 0;
        });

        await ground.takeDown(grown);
        await ground.takeDown(grown);
        expect(await connectionOf(id)).toBeUndefined();
        await ground.discard(grown);
        expect(await bothListings()).toEqual(before);
      },
    );

    test("what is in use stays, and its users are named", async () => {
      const { connector, filesystems, context, consumer } = ground;
      const granted = await ground.granted();
      const { id } = granted.volume;
      const { device, point } = await ground.mounted(granted, filesystemRequest("/srv/busy"));
      const pid = (await consumer.run(`cd ${point} && { sleep 600 >/dev/null 2>&1 & echo $!; }`)).trim();
      await expect(filesystems.unmount(id, device, "abandon", context)).rejects.toMatchObject({
        kind: "VolumeIsBusy",
        reason: expect.stringContaining(`sleep (process ${pid})`),
      });
      await consumer.run(`kill ${pid}`);
      await expect(connector.disconnectVolume(id, context)).rejects.toMatchObject({
        kind: "VolumeIsBusy",
        reason: expect.stringContaining("/srv/busy"),
      });
      expect(await mountsOf(id)).toMatchObject([{ isMounted: true, isInFstab: true, mountPoint: point }]);

      await consumer.run(`mkdir -p /srv/others && mount --bind ${point} /srv/others`);
      await expect(filesystems.unmount(id, device, "abandon", context)).rejects.toMatchObject({
        kind: "VolumeIsBusy",
        reason: expect.stringContaining("/srv/others"),
      });
      await consumer.run("umount /srv/others");
      await filesystems.unmount(id, device, "abandon", context);
      const reader = (
        await consumer.run(`{ sleep 600 <${device.kernelPath} >/dev/null 2>&1 & echo $!; }`)
      ).trim();
      await expect(connector.disconnectVolume(id, context)).rejects.toMatchObject({
        kind: "VolumeIsBusy",
        reason: expect.stringContaining(`sleep (process ${reader})`),
      });
      await consumer.run(`kill ${reader}`);
      await ground.takeDown(granted);
      await ground.discard(granted);
    });

    test("a device that is not the volume is not used, and not kept", async () => {
      const before = await listingOf(ground.consumer);
      const granted = await ground.granted();
      const key = protocol === "iSCSI" ? "serial" : "uuid";
      const other = "11111111-2222-4333-8444-555555555555";
      const { connection } = granted.request;
      const wrong = { ...connection, data: { ...connection.data, [key]: other } };
      await expect(
        ground.connector.connectVolume({ ...granted.request, connection: wrong }, ground.context),
      ).rejects.toMatchObject({ kind: "VolumeBackendError", reason: expect.stringContaining(other) });
      expect(await connectionOf(granted.volume.id)).toMatchObject({ device: null });
      await ground.takeDown(granted);
      expect(await listingOf(ground.consumer)).toEqual(before);
      await ground.discard(granted);
    });

    test("a file system is only made where nothing is", async () => {
      const { connector, filesystems, context, consumer } = ground;
      const granted = await ground.granted();
      const device = await connector.connectVolume(granted.request, context);
      let recorded = 0;
      const format = {
        record: async () => {
          recorded += 1;
        },
      };
      const wanted = filesystemRequest("/srv/made");
      const ensure = (type: "ext4" | "xfs", may: typeof format | undefined) =>
        filesystems.ensureFilesystem(device, { ...wanted, type }, may, context);
      const end = granted.volume.sizeBytes - 1;
      const write = (text: string, at: number) =>
        consumer.run(
          `printf '${text}' | dd of=${device.path} bs=1 seek=${at} conv=notrunc,fsync status=none`,
        );
      await expect(ensure("ext4", undefined)).rejects.toMatchObject({
        reason: expect.stringContaining("never formatted"),
      });
      await write("x", end);
      await expect(ensure("ext4", format)).rejects.toMatchObject({
        reason: expect.stringContaining("last MiB"),
      });
      await write("\\000", end);
      await write("x", 5000);
      await expect(ensure("ext4", format)).rejects.toMatchObject({
        reason: expect.stringContaining("first MiB"),
      });
      await write("\\000", 5000);
      await consumer.run(`mkswap ${device.path}`);
      await expect(ensure("ext4", format)).rejects.toMatchObject({ reason: expect.stringContaining("swap") });
      await consumer.run(`wipefs -aq ${device.path}; echo 'label: gpt' | sfdisk -q ${device.path}`);
      await expect(ensure("ext4", format)).rejects.toMatchObject({ reason: expect.stringMatching(/gpt/i) });
      await consumer.run(`wipefs -aq ${device.path}`);
      await consumer.run(`dd if=/dev/zero of=${device.path} bs=1M count=1 oflag=direct status=none`);
      await consumer
        .run(
          `dd if=/dev/zero of=${device.path} bs=1M seek=${granted.volume.sizeBytes / 1024 ** 2 - 1} oflag=direct status=none`,
        )
        .catch(() => "");
      expect(recorded).toBe(0);
      await ensure("xfs", format);
      await ensure("xfs", undefined);
      expect(recorded).toBe(1);
      await expect(ensure("ext4", format)).rejects.toMatchObject({
        kind: "InvalidInput",
        reason: expect.stringContaining("xfs, not ext4"),
      });
      await ground.takeDown(granted);
      await ground.discard(granted);
    });

    test("the storage host goes away for good: all is taken down in bounded time", async () => {
      const before = await listingOf(ground.consumer);
      const granted = await ground.granted();
      const { point } = await ground.mounted(granted, filesystemRequest("/srv/gone"));
      await ground.consumer.run(`dd if=/dev/urandom of=${point}/unwritten bs=1M count=8 status=none`);
      for (const nic of [0, 1] as const) await ground.storage.cut(nic);
      try {
        await ground.takeDown(granted);
        expect(await connectionOf(granted.volume.id)).toBeUndefined();
        const { consumer } = ground;
        expect(await consumer.run("findmnt -rno TARGET; cat /etc/fstab")).not.toContain(point);
      } finally {
        for (const nic of [0, 1] as const) await ground.storage.restore(nic);
      }
      await waitFor(
        "the foreign connections",
        async () => JSON.stringify(await listingOf(ground.consumer)) === JSON.stringify(before),
        { deadlineMs: 60_000, intervalMs: 500 },
      );
      await ground.discard(granted);
    });

    test("the export goes and comes back: connecting again heals it", async () => {
      const granted = await ground.granted();
      const { point } = await ground.mounted(granted, filesystemRequest("/srv/back"));
      await ground.consumer.run(`echo kept >${point}/file; sync`);
      // The new export has another password: the session cannot come back, and is given up once its device fails. Sooner here.
      await ground.consumer.run(
        `for s in /sys/class/iscsi_session/*; do ! grep -qs ${granted.volume.id} $s/targetname || echo 20 >$s/recovery_tmo; done`,
      );
      await ground.revoke(granted);
      await waitFor("the loss to show", async () => (await connectionOf(granted.volume.id))?.fault, {
        deadlineMs: 60_000,
        intervalMs: 500,
      });
      const again = await ground.grant(granted.volume, false);
      // As long as the loss is being noticed, or the volume is in use, it may take another try.
      const device = await waitFor(
        "the connection",
        () => ground.connector.connectVolume(again.request, ground.context),
        { deadlineMs: 240_000, intervalMs: 500 },
      );
      await ground.filesystems.mount(device, filesystemRequest("/srv/back"), ground.context);
      expect(await ground.consumer.run(`cat ${point}/file`)).toBe("kept\n");
      await ground.takeDown(again);
      await ground.discard(again);
    });

    test("a connection that was killed anywhere is made whole, or taken down, by the next call", async () => {
      const before = await listingOf(ground.consumer);
      const granted = await ground.granted();
      const attempt = async (call: (executor: KillingExecutor) => Promise<unknown>, step: number) => {
        const executor = new KillingExecutor(ground.consumerHost, step);
        const failure = await call(executor).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (!executor.killed) expect(failure).toBeUndefined();
        return executor.killed;
      };
      let step = 1;
      for (
        ;
        await attempt((executor) => ground.connector.connectVolume(granted.request, { executor }), step);
        step += 7
      ) {
        await ground.connector.connectVolume(granted.request, ground.context);
        expect(await connectionOf(granted.volume.id)).toMatchObject({ fault: null });
        await ground.connector.disconnectVolume(granted.volume.id, ground.context);
        expect(await listingOf(ground.consumer)).toEqual(before);
      }
      expect(step).toBeGreaterThan(7);
      const kills: boolean[] = [];
      for (step = 1; kills.at(-1) !== false; step += 5) {
        await ground.connector.connectVolume(granted.request, ground.context);
        kills.push(
          await attempt(
            (executor) => ground.connector.disconnectVolume(granted.volume.id, { executor }),
            step,
          ),
        );
        await ground.connector.disconnectVolume(granted.volume.id, ground.context);
        expect(await listingOf(ground.consumer)).toEqual(before);
      }
      await ground.discard(granted);
    });

    test("what has no record is never touched", async () => {
      const granted = await ground.granted();
      const { id } = granted.volume;
      await ground.connector.connectVolume(granted.request, ground.context);
      const record = `/etc/breezeblock/connections/${id}`;
      await ground.consumer.run(`mv ${record} /root/record`);
      const before = await listingOf(ground.consumer);
      await ground.connector.disconnectVolume(id, ground.context);
      const after = await listingOf(ground.consumer);
      const sessions = ["iscsi sessions", "nvme connections", "iscsi records", "mounts", "fstab"];
      for (const section of sessions) expect(after[section]).toEqual(before[section]);
      await ground.consumer.run(`mkdir -p -m 700 /etc/breezeblock/connections; mv /root/record ${record}`);
      await ground.takeDown(granted);
      await ground.discard(granted);
    });

    if (protocol === "iSCSI") {
      test("a wrong password is refused without being told; the right one is in no command line and no readable file", async () => {
        const { connector, context, consumer } = ground;
        const before = await listingOf(consumer);
        const granted = await ground.granted();
        const { credentials } = granted.request;
        if (credentials === null) throw new Error("There are no credentials.");
        const wrong = { ...credentials, password: "wrongwrongwrong1" };
        const refused = await connector
          .connectVolume({ ...granted.request, credentials: wrong }, context)
          .catch((error: unknown) => error);
        expect(isStorageError(refused, "VolumeBackendError")).toBe(true);
        expect(String(refused)).toContain("authorization failure");
        expect(String(refused)).not.toContain(wrong.password);

        // Looks at every command line, over and over, for as long as the connecting goes on.
        const watching = consumer.run(
          `read -r secret; touch /run/watching; while [ -e /run/watching ]; do for f in /proc/[0-9]*/cmdline; do case $(tr '\\0' ' ' <$f 2>/dev/null) in *"$secret"*) echo "$f"; esac; done; done`,
          { input: `${credentials.password}\n` },
        );
        await waitFor(
          "the watcher",
          async () => (await consumer.attempt("[ -e /run/watching ]")).status === 0,
        );
        await connector.connectVolume(granted.request, context);
        await consumer.run("rm /run/watching");
        expect(await watching).toBe("");
        const files = await consumer.run(
          "xargs -I{} grep -rlsF {} /etc /run /var /tmp /root | xargs -r stat -c '%U %a'; true",
          {
            input: credentials.password,
          },
        );
        expect(new Set(files.trim().split("\n"))).toEqual(new Set(["root 600"]));
        expect(ground.logged.filter((line) => line.includes(credentials.password))).toEqual([]);
        await ground.takeDown(granted);
        expect(await listingOf(consumer)).toEqual(before);
        await ground.discard(granted);
      });
    }
  });
}
