import { strict as assert } from "node:assert";
import type { SnapshotRecord, VolumeRecord } from "../../../src/contract/index.ts";
import { content } from "../device.ts";
import { present, refusal } from "../expect.ts";
import { firstChange } from "../losing-connections.ts";
import { runWorker } from "../run-worker.ts";
import type { Scenario } from "../scenario.ts";
import { unit } from "../session.ts";
import type { Trial } from "../trial.ts";
import type { WorkerTask } from "../worker.ts";

const first = content("first");
const second = content("second");

export const restoreScenarios: readonly Scenario[] = [
  {
    name: "a volume that is put back to a snapshot holds what the snapshot holds, again and again; its other snapshots keep what they hold",
    clauses: [],
    async run(trial) {
      const session = trial.session();
      const { volume, snapshot } = await changedSince(trial);
      const later = await session.snapshot(volume, { name: "later" });
      await expectPutBack(trial, volume, snapshot);
      await trial.withDevice(session, volume, (device) => device.write(second, unit / 4));
      await expectPutBack(trial, volume, snapshot);
      const copies = await Promise.all([
        trial.session().fromSnapshot(later, { name: "copy-of-later" }),
        trial.session().fromSnapshot(snapshot, { name: "copy-of-first" }),
      ]);
      await trial.expectContent(session, copies[0], second);
      await trial.expectContent(session, copies[1], first);
    },
  },
  {
    name: "a volume is not put back while it is attached, to another volume's snapshot, or to one from before it grew",
    clauses: [],
    isAboutRecords: true,
    async run(trial) {
      const session = trial.session();
      const volume = await session.create();
      const snapshot = await session.snapshot(volume);
      const other = await session.create({ name: "other" });
      await refusal(session.putBack(other, snapshot), "InvalidInput", volume.id);
      const granted = await session.attach(volume, trial.consumer);
      await refusal(trial.session().putBack(volume, snapshot), "VolumeIsBusy", granted.attachment.id);
      await session.detach(granted);
      await session.extend(volume, 2 * unit);
      await refusal(trial.session().putBack(volume, snapshot), "InvalidInput", "source");
      await session.deleteSnapshot(snapshot);
      await refusal(session.putBack(volume, snapshot), "SnapshotNotFound");
    },
  },
  {
    name: "a restore whose process is killed at any of its steps leaves a volume that nobody can use until the next run finishes it",
    clauses: [],
    async run(trial) {
      const { volume, snapshot } = await changedSince(trial);
      const work = { kind: "restore", volumeId: volume.id, snapshotId: snapshot.id } as const;
      const steps = trial.subject.isSlow ? (["job", firstChange + 1] as const) : stepsUpwards();
      for (const dieAt of steps) {
        const { killed } = await runWorker({ ...task(trial), work, dieAt });
        if (!killed && dieAt !== "job") return;
        const session = trial.session();
        const found = present(await session.find(volume), "the volume");
        if (found.restoring !== undefined) {
          await refusal(session.attach(volume, trial.consumer), "VolumeIsBusy", snapshot.id);
          await refusal(session.clone(volume), "VolumeIsBusy", snapshot.id);
          await refusal(session.deleteSnapshot(snapshot), "SnapshotIsBusy", volume.id);
        }
        assert.deepEqual(await session.findSnapshot(snapshot), snapshot);
        await expectPutBack(trial, volume, snapshot);
        await trial.withDevice(trial.session(), volume, (device) => device.write(second));
      }
    },
  },
];

/** A volume, and a snapshot of it from before it was written over. */
async function changedSince(
  trial: Trial,
): Promise<{ readonly volume: VolumeRecord; readonly snapshot: SnapshotRecord }> {
  const session = trial.session();
  const volume = await trial.written(session, first);
  const snapshot = await session.snapshot(volume);
  await trial.withDevice(session, volume, async (device) => {
    await device.write(second);
    await device.write(second, unit / 2);
  });
  return { volume, snapshot };
}

async function expectPutBack(trial: Trial, volume: VolumeRecord, snapshot: SnapshotRecord): Promise<void> {
  const restored = await trial.session().putBack(volume, snapshot);
  const session = trial.session();
  assert.deepEqual(await session.find(volume), restored);
  assert.equal(restored.location, volume.location);
  assert.equal(restored.restoring, undefined);
  assert.deepEqual(await session.findSnapshot(snapshot), snapshot);
  assert.deepEqual([...(await session.backend.listing()).damaged.values()], []);
  await trial.withDevice(session, volume, async (device) => {
    await device.expectContent(first);
    await device.expectZeros(first.length, unit - first.length);
  });
}

/** Once a job has begun, then in the place of the first change under the lock, of the second, and so on. */
function* stepsUpwards(): Generator<number | "job"> {
  yield "job";
  for (let nth = firstChange; ; nth += 1) yield nth;
}

function task(trial: Trial): Pick<WorkerTask, "settings" | "storage"> {
  return { settings: trial.settings(), storage: { provisioning: trial.subject.storage.provisioning } };
}
