import { strict as assert } from "node:assert";
import { randomUUID } from "node:crypto";
import { content } from "../device.ts";
import { refusal } from "../expect.ts";
import type { Scenario } from "../scenario.ts";
import { unit } from "../session.ts";

const first = content("first");
const second = content("second");

export const copyScenarios: readonly Scenario[] = [
  {
    name: "a snapshot keeps what the volume held when it was taken; a volume from it outlives it, changes apart and is filled with zeros where it is larger",
    clauses: ["SNP-1", "CFS-1", "CRE-2"],
    async run(trial) {
      const session = trial.session();
      const volume = await trial.written(session, first);
      const snapshot = await session.snapshot(volume);
      assert.deepEqual(await trial.session().findSnapshot(snapshot), snapshot);
      assert.equal(snapshot.volumeId, volume.id);
      assert.equal(snapshot.sizeBytes, unit);
      await trial.withDevice(session, volume, async (device) => {
        await device.expectContent(first);
        await device.write(second);
        await device.write(second, unit / 2);
      });
      await refusal(session.fromSnapshot(snapshot, { sizeBytes: unit / 2 }), "InvalidInput");
      const copying = trial.session({
        around: {
          // Where nothing has to be copied, nothing needs the snapshot any more either.
          async beforeJob() {
            await refusal(trial.session().deleteSnapshot(snapshot), "SnapshotIsBusy", "copy");
          },
        },
      });
      const copy = await copying.fromSnapshot(snapshot, { sizeBytes: 2 * unit });
      assert.deepEqual(copy.source, { kind: "snapshot", id: snapshot.id });
      assert.equal(copy.sizeBytes, 2 * unit);
      await trial.withDevice(session, copy, async (device) => {
        assert.equal(await device.sizeBytes(), 2 * unit);
        await device.expectContent(first);
        await device.expectZeros(first.length, 2 * unit - first.length);
        await device.write(first, unit);
      });
      await trial.expectContent(session, volume, second);
      await session.deleteSnapshot(snapshot);
      await session.delete(volume);
      await trial.withDevice(session, copy, async (device) => {
        await device.expectContent(first);
        await device.expectContent(first, unit);
      });
    },
  },
  {
    name: "a deleted snapshot leaves nothing behind, its volume is untouched, and deleting it again is success",
    clauses: ["SNP-2"],
    async run(trial) {
      const session = trial.session();
      const volume = await trial.written(session, first);
      const snapshot = await session.snapshot(volume);
      await session.deleteSnapshot(snapshot);
      assert.deepEqual(await trial.subject.storage.traces(snapshot.id), []);
      await session.deleteSnapshot(snapshot);
      const next = trial.session();
      assert.equal(await next.findSnapshot(snapshot), undefined);
      await next.deleteSnapshot(snapshot);
      await next.deleteSnapshot({ id: randomUUID() });
      await trial.expectContent(session, volume, first);
    },
  },
  {
    name: "a clone has its source's content and outlives it; the two change apart; a larger one is filled with zeros",
    clauses: ["CLN-1", "CRE-2"],
    async run(trial) {
      const session = trial.session();
      const volume = await trial.written(session, first);
      await refusal(session.clone(volume, { sizeBytes: unit / 2 }), "InvalidInput");
      const clone = await session.clone(volume, { sizeBytes: 2 * unit });
      assert.deepEqual(clone.source, { kind: "volume", id: volume.id });
      assert.equal(clone.sizeBytes, 2 * unit);
      await trial.withDevice(session, clone, async (device) => {
        assert.equal(await device.sizeBytes(), 2 * unit);
        await device.expectContent(first);
        await device.expectZeros(first.length, 2 * unit - first.length);
        await device.write(second);
      });
      await trial.withDevice(session, volume, async (device) => {
        await device.expectContent(first);
        await device.write(first, unit / 2);
      });
      await session.delete(volume);
      await trial.withDevice(session, clone, async (device) => {
        await device.expectContent(second);
        await device.expectZeros(unit / 2, first.length);
      });
    },
  },
  {
    name: "a volume that outlived its source can be snapshotted and grown like any other",
    clauses: ["CLN-1"],
    async run(trial) {
      const session = trial.session();
      const volume = await trial.written(session, first);
      const clone = await session.clone(volume);
      await session.delete(volume);
      const snapshot = await session.snapshot(clone);
      await session.deleteSnapshot(snapshot);
      await session.extend(clone, 2 * unit);
      await trial.expectContent(session, clone, first);
    },
  },
];
