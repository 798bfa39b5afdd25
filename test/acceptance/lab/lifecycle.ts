import { describe, expect, test } from "vitest";
import { labAvailability } from "../../lab/use-lab.ts";
import { titled } from "../../support/availability.ts";
import { type Engine, findEngine } from "../../support/engines.ts";
import { type Resources, ref } from "./program.ts";
import { useSan } from "./san.ts";
import { Writer } from "./writer.ts";

/** Each file system over each protocol, on thin and thick volumes. */
export const disks = [
  { name: "a", backend: "iscsi", provisioning: "thin", type: "ext4" },
  { name: "b", backend: "iscsi", provisioning: "thick", type: "xfs" },
  { name: "c", backend: "nvmet", provisioning: "thick", type: "ext4" },
  { name: "d", backend: "nvmet", provisioning: "thin", type: "xfs" },
] as const;

export type Disk = (typeof disks)[number];

const mountPoint = (name: string) => `/srv/disk-${name}`;

function resources(disks: readonly Disk[], size: number): Resources {
  const volumes = disks.map(({ name, backend, provisioning }) => [
    name,
    { name, backend, provisioning, size },
  ]);
  const attachments = disks.map(({ name, type }) => [
    name,
    {
      volume_id: ref(`volume.${name}.id`),
      volume_size: ref(`volume.${name}.size`),
      host: "consumer1",
      filesystem: { type, mount_point: mountPoint(name) },
    },
  ]);
  return { volume: Object.fromEntries(volumes), attachment: Object.fromEntries(attachments) };
}

/** The whole life of these disks with an engine, on hosts of its own. */
export function declareLifecycle(engine: Engine, disks: readonly Disk[]): void {
  describe.skipIf(!labAvailability.available)(titled("mounted volumes", labAvailability), () => {
    const san = useSan();
    const found = findEngine(engine);
    test.skipIf(!found.available)(
      titled(
        `${engine}: made, written to, grown in place, rebooted, repaired, and gone without a trace`,
        found,
      ),
      async () => {
        const { storage, consumer } = san;
        const run = (command: string) => consumer.run(command);
        const before = await san.listing();
        const program = await san.program(engine);

        program.write(resources(disks, 1));
        await program.applied();
        expect(await program.changes()).toEqual([]);
        for (const { name, type } of disks) {
          expect((await run(`findmnt -n -o FSTYPE ${mountPoint(name)}`)).trim()).toBe(type);
        }
        // No password that an initiator logs in with is in what the engine keeps.
        const passwords = await storage.run(
          "cat /sys/kernel/config/target/iscsi/*breezeblock*/tpgt_1/acls/*/auth/password",
        );
        const state = await program.state();
        for (const password of passwords.trim().split("\n")) {
          expect(password.length).toBeGreaterThanOrEqual(12);
          expect(state).not.toContain(password);
        }

        const writers = [];
        for (const { name } of disks) writers.push(await Writer.start(run, mountPoint(name)));
        program.write(resources(disks, 3));
        await program.applied();
        for (const writer of writers) await writer.goesOn();
        for (const { name } of disks) {
          const size = await run(`df -B1 --output=size ${mountPoint(name)} | tail -n 1`);
          expect(Number(size)).toBeGreaterThan(2.7 * 2 ** 30);
        }
        for (const writer of writers) await writer.stop();
        expect(await program.changes()).toEqual([]);

        await consumer.reboot();
        for (const { name } of disks) await san.mounted(mountPoint(name));
        for (const writer of writers) await writer.verify();
        expect(await program.changes()).toEqual([]);

        // What people do on the machines, and forget.
        const idOf = async (name: string) =>
          String((await program.attributes(`volume.${name}`))["id"]).replace(/^\w+\//, "");
        const meddle: Readonly<Record<Disk["name"], () => Promise<unknown>>> = {
          a: () => run(`umount ${mountPoint("a")}`),
          b: async () =>
            run(
              `umount ${mountPoint("b")}; iscsiadm -m node -T $(iscsiadm -m session | grep -o 'iqn.*${await idOf("b")}' | head -n 1) -u`,
            ),
          c: async () =>
            run(
              `umount ${mountPoint("c")}; nvme disconnect -n $(cat /sys/class/nvme-subsystem/*/subsysnqn | grep ${await idOf("c")})`,
            ),
          d: async () => {
            await run(`umount ${mountPoint("d")}`);
            await storage.run(`rm /sys/kernel/config/nvmet/subsystems/*${await idOf("d")}/allowed_hosts/*`);
          },
        };
        for (const { name } of disks) await meddle[name]();
        expect(await program.changes()).toEqual(disks.map(({ name }) => `attachment.${name}: update`));
        await program.applied();
        expect(await program.changes()).toEqual([]);
        for (const { name } of disks) await san.mounted(mountPoint(name));
        for (const writer of writers) await writer.verify();

        // A deleted ACL of iSCSI, with its session alive.
        const index = disks.findIndex(({ backend }) => backend === "iscsi");
        const { name = "" } = disks[index] ?? {};
        const acls = `/sys/kernel/config/target/iscsi/*${await idOf(name)}/tpgt_1/acls`;
        await storage.run(`cd ${acls}/* && rm lun_0/* ; rmdir lun_0 ; cd .. && rmdir *`);
        expect(await program.changes()).toEqual([`attachment.${name}: update`]);
        await program.applied();
        expect(await program.changes()).toEqual([]);
        await san.mounted(mountPoint(name));
        await writers[index]?.verify();

        await program.destroyed();
        expect(await san.listing()).toEqual(before);
      },
      2_400_000,
    );
  });
}
