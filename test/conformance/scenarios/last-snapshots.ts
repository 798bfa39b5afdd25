import { strict as assert } from "node:assert";
import type { SnapshotRecord, VolumeRecord } from "../../../src/contract/index.ts";
import { content } from "../device.ts";
import { present, refusal } from "../expect.ts";
import { firstChange } from "../losing-connections.ts";
import { runWorker } from "../run-worker.ts";
import type { Scenario } from "../scenario.ts";
import { type Session, unit } from "../session.ts";
import type { Trial } from "../trial.ts";

const bytes = content("precious");

export const lastSnapshotScenarios: readonly Scenario[] = [
  {
    name: "a volume that is deleted after a last snapshot is gone, and the snapshot has all that was on it; what is in use stays, without one",
    clauses: ["DEL-4"],
    async run(trial) {
      const session = trial.session();
      const volume = await trial.written(session, bytes);
      const granted = await session.attach(volume, trial.consumer);
      await refusal(session.deleteAfterSnapshot(volume), "VolumeIsBusy", granted.attachment.id);
      await session.detach(granted);
      const older = await session.snapshot(volume);
      await refusal(session.deleteAfterSnapshot(volume), "VolumeIsBusy", older.name);
      assert.deepEqual(
        (await snapshotsOf(trial, volume)).map(({ id }) => id),
        [older.id],
      );
      await session.deleteSnapshot(older);

      const last = present(await session.deleteAfterSnapshot(volume), "the last snapshot");
      const next = trial.session();
      assert.equal(await next.find(volume), undefined);
      assert.deepEqual(await trial.subject.storage.traces(volume.id), []);
      const kept = present(await next.findSnapshot(last), "the last snapshot");
      assert.deepEqual(
        [kept.phase, kept.sizeBytes, kept.volumeId],
        ["retained", volume.sizeBytes, volume.id],
      );
      await expectContentOf(trial, next, kept);
      // Nothing is there to take a snapshot of: it is told where the last one is.
      assert.equal((await next.deleteAfterSnapshot(volume))?.id, last.id);
      await next.deleteSnapshot(kept);
      assert.deepEqual(await trial.subject.storage.traces(kept.id), []);
    },
  },
  {
    name: "whenever a run that deletes a volume after a last snapshot is killed, the volume is whole or the snapshot is; the next run ends it",
    clauses: ["DEL-4"],
    async run(trial) {
      const steps = trial.subject.isSlow ? [firstChange + 1] : ["job" as const, firstChange];
      for (let dieAt = steps.shift(); dieAt !== undefined; ) {
        const volume = await trial.written(trial.session(), bytes);
        const { killed } = await runWorker({
          settings: trial.settings(),
          storage: { provisioning: trial.subject.storage.provisioning },
          work: { kind: "delete after a snapshot", volumeId: volume.id },
          dieAt,
        });
        const session = trial.session();
        const left = await session.find(volume);
        const isWhole = left !== undefined && left.phase !== "deleting";
        if (isWhole) await trial.expectContent(session, volume, bytes);
        await session.deleteAfterSnapshot(volume);
        const snapshots = await snapshotsOf(trial, volume);
        assert.ok(snapshots.length > 0, `nothing is left of the volume, killed at ${dieAt}`);
        for (const snapshot of snapshots) {
          assert.equal(snapshot.phase, "retained", `killed at ${dieAt}`);
          await expectContentOf(trial, trial.session(), snapshot);
          await trial.session().deleteSnapshot(snapshot);
        }
        assert.deepEqual(await trial.subject.storage.traces(volume.id), []);
        if (!killed && dieAt !== "job") {
          assert.ok(dieAt > firstChange, "no process was killed");
          return;
        }
        dieAt = steps.shift() ?? (trial.subject.isSlow || dieAt === "job" ? undefined : dieAt + 1);
      }
    },
  },
];

async function snapshotsOf(trial: Trial, volume: VolumeRecord): Promise<readonly SnapshotRecord[]> {
  const { snapshots } = await trial.session().backend.listing();
  return [...snapshots.values()].filter(({ volumeId }) => volumeId === volume.id);
}

/** A volume can be made of it that has all that was written. */
async function expectContentOf(trial: Trial, session: Session, snapshot: SnapshotRecord): Promise<void> {
  const copy = await session.fromSnapshot(snapshot, { name: `of-${snapshot.id.slice(0, 8)}` });
  await trial.withDevice(session, copy, async (device) => {
    await device.expectContent(bytes);
    await device.expectZeros(bytes.length, unit - bytes.length);
  });
  await session.delete(copy);
}
