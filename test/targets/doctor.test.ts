import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { provider } from "../../resources/index.ts";
import {
  attach,
  type Backend,
  createVolume,
  deleteVolume,
  detach,
  type Fleet,
  type VolumeRequest,
} from "../../src/backend/index.ts";
import type { Connector, VolumeRecord } from "../../src/contract/index.ts";
import { BuiltCommand, Doctor, type StatedObject } from "../doctor/ground.ts";
import { listingOf } from "../lab/listing.ts";
import { labAvailability, useLab } from "../lab/use-lab.ts";
import { titled } from "../support/availability.ts";
import { makeTempDirectory, removeDirectory } from "../support/temp-directory.ts";

const owner = "acme/doctor";
const web1 = { host: "web1", initiator: "iqn.2004-10.org.example:web1", nqn: "nqn.2014-08.org.example:web1" };
const stranger = "iqn.2004-10.org.example:stranger";

const request: VolumeRequest = {
  ...{
    name: "db",
    namePrefix: null,
    sizeBytes: 64 * 1024 ** 2,
    source: null,
    pool: null,
    provisioning: "thin",
  },
  ...{ multiattach: false, labels: {}, defaultLabels: {}, deletionProtection: false, settings: {} },
};

describe.skipIf(!labAvailability.available)(
  titled("breezeblock doctor on real LVM, LIO and nvmet", labAvailability),
  () => {
    const lab = useLab({ consumers: 0, foreign: true });
    const directory = makeTempDirectory();
    let command: BuiltCommand;
    let fleet: Fleet;
    beforeAll(async () => {
      command = await BuiltCommand.build();
    });
    afterAll(async () => {
      await fleet?.close();
      command?.remove();
      removeDirectory(directory);
    });

    test("finds what is planted, and nothing that others made; removes it, and leaves theirs as it was", async () => {
      const [storage] = lab.current().storage;
      if (storage === undefined) throw new Error("The lab has no storage host.");
      await storage.run("mkdir /srv/doctor");
      const [address] = storage.storageAddresses;
      const settings = {
        owner,
        hosts: { san: storage.providerHost("storage") },
        backends: {
          fast: {
            host: "san",
            lvm: { volume_group: "vg0", thin_pool: "pool0" },
            iscsi: { portals: [address] },
          },
          bulk: { host: "san", file: { directory: "/srv/doctor" }, nvmet: { portals: [address] } },
        },
      };
      const doctor = new Doctor(command, directory, settings);
      const missing = { default_labels: null, deletion_protection: null, hosts: null, backends: null };
      fleet = await provider.configure(
        { ...missing, owner: null, config_file: `${directory}/breezeblock.yaml` },
        { log: () => undefined },
      );
      const [fast, bulk] = [fleet.backend("fast", []), fleet.backend("bulk", [])];
      const create = (backend: Backend, name: string) =>
        createVolume(backend, { ...request, name }, undefined);
      const attached = async (backend: Backend, volume: VolumeRecord, connector: Connector = web1) =>
        (await attach(backend, { volumeId: volume.id, connector, mode: "rw" }, undefined)).attachment.id;

      const before = await listingOf(storage);
      const db = await create(fast, "db");
      const access = await attached(fast, db);
      const identity = (await fast.listing()).identity ?? "";
      const stated: StatedObject[] = [
        { type: "volume", id: `fast/${db.id}`, identity },
        { type: "attachment", id: `fast/${access}`, identity },
      ];
      const wanted = await listingOf(storage);

      const lost = await create(fast, "lost");
      const lostAccess = await attached(fast, lost);
      const vanished = await create(fast, "vanished");
      await attached(fast, vanished);
      const vanishedFile = await create(bulk, "vanished");
      await attached(bulk, vanishedFile);
      // As if it had been removed while it was exported, which holds its device open.
      await storage.run(
        `lvchange -qq $(lvs --noheadings -o lv_tags vg0/bb-${vanished.id} | tr -d ' ' | tr , '\\n' | sed 's/^/--deltag /') vg0/bb-${vanished.id} && lvrename -qq vg0 bb-${vanished.id} was`,
      );
      await storage.run(`rm /srv/doctor/volume-${vanishedFile.id}.*`);
      const tpg = `/sys/kernel/config/target/iscsi/*:${db.id}/tpgt_1`;
      await storage.run(
        `cd ${tpg} && mkdir -p acls/${stranger}/lun_0 && ln -s "$PWD/lun/lun_0" acls/${stranger}/lun_0/lun`,
      );
      const helper = `bb-${db.id}.extension`;
      await storage.run(
        `lvcreate -qq -y -l 1 -n ${helper} --addtag bb.x=extension --addtag bb.o=${owner} vg0`,
      );
      const theirHelper = `bb-${db.id}.source`;
      await storage.run(
        `lvcreate -qq -y -l 1 -n ${theirHelper} --addtag bb.x=source --addtag bb.o=acme/other vg0`,
      );
      const half = randomUUID();
      await fast.exclusive("begin a volume", undefined, async (locked) => {
        const now = new Date().toISOString();
        await fast.driver.createVolume(
          {
            ...request,
            id: half,
            name: "half",
            owner,
            provisioning: "thick",
            sizeBytes: 4 * 1024 ** 2,
            createdAt: now,
          },
          locked,
        );
      });

      const planted = [
        ...[`fast/${lost.id}`, `fast/${lostAccess}`, `fast/${half}`, `fast/export:${vanished.id}`],
        ...[`fast/acl:${db.id}:${stranger}`, `fast/helper:${helper}`, `bulk/export:${vanishedFile.id}`],
      ].sort();
      // A state that is older than what is planted would prove nothing.
      const options = ["--state", doctor.writeState(stated), "--min-age", "0"];
      const found = await doctor.report(...options);
      expect(found.findings.map(({ id }) => id).sort()).toEqual(planted);
      expect(found).toMatchObject({ exitCode: 1, in_progress: [], retained: [] });
      expect(found.findings.filter(({ removable }) => !removable)).toEqual([]);
      expect(found.backends.map(({ problems }) => problems)).toEqual([[], []]);

      const removed = await doctor.report(...options, "--remove-all", "--yes");
      expect(removed.removals.filter(({ outcome }) => outcome !== "removed")).toEqual([]);
      expect(removed.removals.map(({ id }) => id).sort()).toEqual(planted);
      expect(removed.exitCode).toBe(0);
      await storage.run(`lvremove -qq -y vg0/was vg0/${theirHelper}`);
      expect(await listingOf(storage)).toEqual(wanted);
      expect(await doctor.report(...options)).toMatchObject({ exitCode: 0, findings: [] });

      await detach(fast, access, identity, db.id, undefined);
      await deleteVolume(fast, db.id, identity, undefined);
      expect(await listingOf(storage)).toEqual(before);
    });
  },
);
