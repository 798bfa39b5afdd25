import { strict as assert } from "node:assert";
import { randomUUID } from "node:crypto";
import { attach } from "../../../src/backend/index.ts";
import type { Attachment } from "../../../src/contract/index.ts";
import { content } from "../device.ts";
import { present, refusal } from "../expect.ts";
import { losingConnections } from "../losing-connections.ts";
import type { Scenario } from "../scenario.ts";
import { unit } from "../session.ts";
import { isExporting } from "../subject.ts";
import type { SubjectDefinition } from "../subjects.ts";
import type { Trial } from "../trial.ts";

const bytes = content("shared");

/** What depends on how volumes are reached. */
export const connectionScenarios: readonly Scenario[] = [
  {
    name: "an export is made, made again and removed, each as often as one likes",
    clauses: ["EXP-1"],
    sharesVolumes: true,
    async run(trial) {
      const session = trial.session();
      const volume = await trial.sharedVolume(session);
      const { target } = session.backend;
      await session.locked((locked) => target.createExport(volume, locked));
      const made = await session.exportOf(volume);
      await session.locked((locked) => target.createExport(volume, locked));
      await session.locked((locked) => target.ensureExport(volume, locked));
      assert.deepEqual(await session.exportOf(volume), made);
      if (isExporting(trial.subject)) {
        assert.equal(present(made, "the export").fault, null);
        assert.equal(made?.sizeBytes, volume.sizeBytes);
      }
      await session.locked((locked) => target.removeExport(volume, locked));
      await session.locked((locked) => target.removeExport(volume, locked));
      assert.equal(await session.exportOf(volume), undefined);
      present(await trial.session().find(volume), "the volume");
      await session.locked((locked) => target.ensureExport(volume, locked));
      assert.deepEqual(await session.exportOf(volume), made);
    },
  },
  {
    name: "an incomplete connector is refused, and nothing has changed",
    clauses: ["CON-1"],
    sharesVolumes: true,
    async run(trial) {
      const session = trial.session();
      const volume = await trial.sharedVolume(session);
      const before = await session.exportOf(volume);
      for (const connector of [{}, trial.consumer.incompleteConnector]) {
        const request = { volumeId: volume.id, connector, mode: "rw" } as const;
        await refusal(attach(session.backend, request, undefined), "InvalidConnector");
      }
      assert.deepEqual((await trial.session().find(volume))?.attachments, []);
      assert.deepEqual(await session.exportOf(volume), before);
    },
  },
  {
    name: "a granted connection is plain, the same each time and for each run, and leads to the volume as long as it is granted",
    isAboutBoth: true,
    clauses: ["CON-2", "CON-4"],
    sharesVolumes: true,
    async run(trial) {
      const session = trial.session();
      const volume = await trial.sharedVolume(session);
      const granted = await session.attach(volume, trial.consumer);
      const { connection } = granted;
      assert.deepEqual(JSON.parse(JSON.stringify(connection)), connection);
      assert.equal(connection.driver_volume_type, session.backend.target.protocol);
      assert.deepEqual((await session.connectionOf(granted)).connection, connection);
      assert.deepEqual((await trial.session().connectionOf(granted)).connection, connection);
      const device = await trial.consumer.connect(session, granted);
      assert.equal(await device.sizeBytes(), volume.sizeBytes);
      await device.write(bytes);
      await device.expectContent(bytes);
      await trial.consumer.disconnect(volume.id);
      await session.detach(granted);
      await expectGranted(trial, volume.id, 0);
    },
  },
  {
    name: "pairs that a connection sets for its initiator come back to it, and its answer stays the same",
    clauses: ["CON-3"],
    sharesVolumes: true,
    async run(trial) {
      const session = trial.session();
      const { volume, attachment, connection } = await session.attach(
        await trial.sharedVolume(session),
        trial.consumer,
      );
      const kept = present(connection.initiator_updates?.set_values, "a pair for the initiator");
      const again = await session.locked((locked) =>
        session.backend.target.initializeConnection(
          volume,
          attachment.connector,
          attachment.mode,
          locked,
          kept,
        ),
      );
      assert.deepEqual(again.data, connection.data);
    },
  },
  {
    name: "access is revoked with the last attachment of a host, and revoking it again is success",
    clauses: ["CON-4", "ATT-1"],
    sharesVolumes: true,
    async run(trial) {
      const session = trial.session();
      const volume = await trial.sharedVolume(session, { multiattach: true });
      const [first, second] = await Promise.all([
        session.attach(volume, trial.consumer),
        session.attach(volume, trial.consumer),
      ]);
      assert.notEqual(first.attachment.id, second.attachment.id);
      assert.deepEqual(second.connection, first.connection);
      const device = await trial.consumer.connect(session, second);
      await device.write(bytes);
      await session.detach(first);
      await session.detach(first);
      await device.expectContent(bytes);
      await expectGranted(trial, second.volume.id, 1);
      await trial.consumer.disconnect(volume.id);
      await session.detach(second);
      await trial.session().detach(second);
      await expectGranted(trial, volume.id, 0);
      const target = session.backend.target;
      const { connector } = second.attachment;
      await session.locked((locked) => target.terminateConnection(volume, connector, locked));
    },
  },
  {
    name: "every connection of a volume can be ended at once, and an attachment that is left can be made whole",
    clauses: ["CON-5"],
    sharesVolumes: true,
    async run(trial) {
      const session = trial.session();
      const volume = await trial.sharedVolume(session, { multiattach: true });
      await Promise.all(trial.subject.consumers.map((consumer) => session.attach(volume, consumer)));
      await expectGranted(trial, volume.id, trial.subject.consumers.length);
      const { target } = session.backend;
      await session.locked((locked) => target.terminateConnection(volume, null, locked));
      await session.locked((locked) => target.terminateConnection(volume, null, locked));
      await expectGranted(trial, volume.id, 0);
      const record = present(await trial.session().find(volume), "the volume");
      const [attachment] = record.attachments;
      if (attachment === undefined) throw new Error("the attachment's record is gone");
      const granted = await trial.session().restore({ attachment });
      assert.equal(granted.attachment.id, attachment.id);
      await expectGranted(trial, volume.id, 1);
    },
  },
  {
    name: "an attachment is on record for later runs until it is detached, and takes no space",
    clauses: ["ATT-1"],
    sharesVolumes: true,
    async run(trial) {
      const session = trial.session();
      const volume = await trial.sharedVolume(session);
      const { attachment } = await session.attach(volume, trial.consumer);
      const recorded = present(await trial.session().find(volume), "the volume");
      assert.deepEqual(recorded, { ...volume, attachments: [attachment] });
      assert.deepEqual(attachment.connector, await trial.consumer.connector());
      await refusal(trial.session().attach(volume, trial.consumer, "ro"), "VolumeIsBusy", attachment.id);
      const next = trial.session();
      assert.equal((await next.attach(volume, trial.consumer)).attachment.id, attachment.id);
      await next.detach({ volume, attachment });
      await next.detach({ volume, attachment });
      await next.detach({ volume, attachment: { ...attachment, id: randomUUID() } });
      assert.deepEqual(await trial.session().find(volume), volume);
    },
  },
  {
    name: "a machine without access does not get in; two with access share a volume, and one goes on when the other has left",
    clauses: ["CON-2", "CON-4", "ATT-1"],
    sharesVolumes: true,
    appliesTo: hasTwoConsumers,
    async run(trial) {
      const [one, other] = trial.subject.consumers;
      if (other === undefined) throw new Error("there is one machine only");
      const session = trial.session();
      const volume = await trial.sharedVolume(session, { multiattach: true });
      const first = await session.attach(volume, one);
      await assert.rejects(other.connect(session, first));
      const second = await session.attach(volume, other);
      const device = await one.connect(session, first);
      const shared = await other.connect(session, second);
      await device.write(bytes);
      await shared.expectContent(bytes);
      await other.disconnect(volume.id);
      await session.detach(second);
      await device.write(bytes, bytes.length);
      await device.expectContent(bytes, bytes.length);
      await expectGranted(trial, volume.id, 1);
    },
  },
  {
    name: "an attached volume is not deleted, and whoever uses it is named",
    clauses: ["DEL-2"],
    sharesVolumes: true,
    async run(trial) {
      const session = trial.session();
      const volume = await trial.sharedVolume(session);
      const granted = await session.attach(volume, trial.consumer);
      const device = await trial.consumer.connect(session, granted);
      await device.write(bytes);
      await refusal(trial.session().delete(volume), "VolumeIsBusy", granted.attachment.id);
      await device.expectContent(bytes);
    },
  },
  {
    name: "an attached volume grows under its consumer, or is refused where that cannot be",
    isAboutBoth: true,
    clauses: ["EXT-1"],
    async run(trial) {
      const session = trial.session();
      const volume = await session.create();
      const { consumer } = trial;
      const granted = await session.attach(volume, consumer);
      const device = await consumer.connect(session, granted);
      await device.write(bytes);
      if (session.backend.driver.features.onlineExtend) {
        await trial.session().extend(volume, 2 * unit);
        await consumer.rescan(session, granted, 2 * unit);
        assert.equal(await device.sizeBytes(), 2 * unit);
        await device.write(bytes, unit);
        await device.expectContent(bytes, unit);
      } else {
        await refusal(trial.session().extend(volume, 2 * unit), "VolumeIsBusy", granted.attachment.id);
        assert.equal(await device.sizeBytes(), unit);
      }
      await device.expectContent(bytes);
    },
  },
  {
    name: "what a consumer wrote is in the copy of a snapshot that the other side took, and grows with it",
    isAboutBoth: true,
    clauses: ["CRE-1", "SNP-1", "CFS-1"],
    appliesTo: isExporting,
    async run(trial) {
      const session = trial.session();
      const volume = await trial.written(session, bytes);
      const copy = await session.fromSnapshot(await session.snapshot(volume), { sizeBytes: 2 * unit });
      await trial.withDevice(session, copy, async (device) => {
        assert.equal(await device.sizeBytes(), 2 * unit);
        await device.expectContent(bytes);
        await device.expectZeros(bytes.length, 2 * unit - bytes.length);
      });
    },
  },
  {
    name: "attaching and detaching that lose their connection are in doubt, and doing them again succeeds",
    clauses: ["CON-2", "CON-4", "ATT-1"],
    sharesVolumes: true,
    async run(trial) {
      const volume = await trial.sharedVolume(trial.session());
      let attachment: Attachment | undefined;
      await losingConnections(trial, {
        act: (lost) => lost.attach(volume, trial.consumer),
        async after() {
          const session = trial.session();
          const granted = await session.attach(volume, trial.consumer);
          const { attachments } = present(await trial.session().find(volume), "the volume");
          assert.deepEqual(attachments, [granted.attachment]);
          const device = await trial.consumer.connect(session, granted);
          assert.equal(await device.sizeBytes(), unit);
          await trial.consumer.disconnect(volume.id);
          attachment = granted.attachment;
        },
      });
      const recorded = { volume, attachment: present(attachment, "the attachment") };
      await losingConnections(trial, {
        act: (lost) => lost.detach(recorded),
        after: () => trial.session().detach(recorded),
      });
      assert.deepEqual(await trial.session().find(volume), volume);
      assert.equal((await trial.session().exportOf(volume))?.granted.size ?? 0, 0);
    },
  },
];

function hasTwoConsumers({ consumers }: SubjectDefinition): boolean {
  return consumers > 1;
}

/** How many initiators have access; told by nothing where nothing is exported. */
async function expectGranted(trial: Trial, volumeId: string, count: number): Promise<void> {
  if (!isExporting(trial.subject)) return;
  const exported = await trial.session().exportOf({ id: volumeId });
  assert.equal(exported?.granted.size ?? 0, count, "initiators with access");
}
