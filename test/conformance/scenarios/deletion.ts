import { strict as assert } from "node:assert";
import { randomUUID } from "node:crypto";
import { content } from "../device.ts";
import { present, refusal } from "../expect.ts";
import type { Scenario } from "../scenario.ts";
import { unit } from "../session.ts";

const bytes = content("precious");

export const deletionScenarios: readonly Scenario[] = [
  {
    name: "a deleted volume leaves nothing behind, and deleting it again is success",
    clauses: ["DEL-1"],
    async run(trial) {
      const session = trial.session();
      const volume = await trial.written(session, bytes);
      const { traces } = trial.subject.storage;
      assert.notDeepEqual(await traces(volume.id), []);
      await session.delete(volume);
      assert.deepEqual(await traces(volume.id), []);
      assert.equal(await session.exportOf(volume), undefined);
      await session.delete(volume);
      const next = trial.session();
      assert.equal(await next.find(volume), undefined);
      await next.delete(volume);
      await next.delete({ id: randomUUID() });
    },
  },
  {
    name: "a volume with snapshots is not deleted, and they are named",
    clauses: ["DEL-2"],
    async run(trial) {
      const session = trial.session();
      const volume = await trial.written(session, bytes);
      const snapshot = await session.snapshot(volume);
      await refusal(session.delete(volume), "VolumeIsBusy", snapshot.id, snapshot.name);
      present(await trial.session().findSnapshot(snapshot), "the snapshot");
      await trial.expectContent(session, volume, bytes);
    },
  },
  {
    name: "what is protected is not deleted",
    clauses: ["DEL-2", "SNP-2"],
    isAboutRecords: true,
    async run(trial) {
      const session = trial.session();
      const volume = await session.create({ deletionProtection: true });
      const snapshot = await session.snapshot(volume, { deletionProtection: true });
      await refusal(session.deleteSnapshot(snapshot), "DeletionProtected");
      await session.unprotectSnapshot(snapshot);
      await session.deleteSnapshot(snapshot);
      await refusal(trial.session().delete(volume), "DeletionProtected");
    },
  },
  {
    name: "whether a volume is in use is looked up when it is to be deleted, not remembered",
    clauses: ["DEL-2", "DEL-3"],
    isAboutRecords: true,
    async run(trial) {
      const session = trial.session();
      const volume = await session.create();
      const early = trial.session();
      assert.deepEqual((await early.find(volume))?.attachments, []);
      const granted = await session.attach(volume, trial.consumer);
      await refusal(early.delete(volume), "VolumeIsBusy", granted.attachment.id);
      await session.detach(granted);
      await early.delete(volume);
    },
  },
  {
    name: "another owner's volumes and snapshots are refused, and stay as they are",
    clauses: ["DEL-3", "SNP-2"],
    isAboutRecords: true,
    async run(trial) {
      const theirs = trial.session({ owner: `${trial.owner}/theirs` });
      const volume = await theirs.create();
      const snapshot = await theirs.snapshot(volume);
      const found = await theirs.find(volume);
      const ours = trial.session();
      const attempts = [
        () => ours.find(volume),
        () => ours.delete(volume),
        () => ours.extend(volume, 2 * unit),
        () => ours.snapshot(volume),
        () => ours.deleteSnapshot(snapshot),
        () => ours.clone(volume),
        () => ours.fromSnapshot(snapshot),
        () => ours.attach(volume, trial.consumer),
      ];
      await Promise.all(attempts.map((attempt) => refusal(attempt(), "NotOwned", `${trial.owner}/theirs`)));
      const later = trial.session({ owner: `${trial.owner}/theirs` });
      assert.deepEqual(await later.find(volume), found);
      assert.deepEqual(await later.findSnapshot(snapshot), snapshot);
    },
  },
  {
    name: "what has only the name of one of ours is not destroyed",
    clauses: ["DEL-3"],
    async run(trial) {
      const session = trial.session();
      const volume = await session.create();
      const disowned = await trial.subject.storage.disown(volume);
      trial.atEnd(async () => {
        await disowned.giveBack();
        await trial.session().delete(volume);
      });
      // Whether it is told as damaged or as gone is the technology's business.
      const next = trial.session();
      await next
        .delete(volume)
        .catch((error: unknown) => refusal(Promise.reject(error), "VolumeBackendError"));
      assert.ok(await disowned.isThere(), "it was destroyed");
    },
  },
  {
    name: "what others made is the same after a volume's whole life beside it",
    clauses: ["DEL-3"],
    async run(trial) {
      const foreign = await trial.subject.storage.plantForeign();
      trial.atEnd(() => foreign.remove());
      const before = await foreign.fingerprint();
      const session = trial.session();
      const volume = await trial.written(session, bytes);
      await session.extend(volume, 2 * unit);
      const snapshot = await session.snapshot(volume);
      const copy = await session.fromSnapshot(snapshot);
      await session.deleteSnapshot(snapshot);
      await Promise.all([volume, copy].map((each) => session.delete(each)));
      assert.equal(await foreign.fingerprint(), before);
    },
  },
];
