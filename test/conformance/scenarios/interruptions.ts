import { strict as assert } from "node:assert";
import type { VolumeRecord } from "../../../src/contract/index.ts";
import { content } from "../device.ts";
import { present } from "../expect.ts";
import { firstChange, losingConnections } from "../losing-connections.ts";
import { runWorker } from "../run-worker.ts";
import type { Scenario } from "../scenario.ts";
import { unit } from "../session.ts";
import type { Trial } from "../trial.ts";
import type { WorkerTask } from "../worker.ts";

const bytes = content("survives");

export const interruptionScenarios: readonly Scenario[] = [
  {
    name: "two processes work on one backend at once, and each gets what it asked for",
    clauses: ["CRE-1", "SNP-1", "CFS-1", "DEL-3"],
    isAboutRecords: true,
    async run(trial) {
      await trial.session().create({ name: "first" });
      const count = 2;
      const owners = [trial.owner, `${trial.owner}/other`];
      for (const owner of owners) trial.session({ owner });
      const ends = await Promise.all(
        owners.map((owner) => runWorker({ ...task(trial, owner), work: { kind: "churn", count } })),
      );
      const { volumes, snapshots, damaged } = await trial.session().backend.listing();
      for (const [index, owner] of owners.entries()) {
        const { ids } = present(ends[index], "what the process left");
        assert.equal(ids.length, count);
        const names = [...volumes.values()].filter((volume) => volume.owner === owner);
        assert.equal(names.length, index === 0 ? count + 1 : count);
        for (const id of ids) assert.equal(volumes.get(id)?.owner, owner);
      }
      assert.deepEqual(
        [...snapshots.values()].filter(({ owner }) => owners.includes(owner)),
        [],
      );
      assert.deepEqual([...damaged.values()], []);
    },
  },
  {
    name: "a creation whose process is killed at any of its steps is finished by the next run, once",
    clauses: ["CRE-1", "DEL-1"],
    async run(trial) {
      const first = trial.subject.isSlow ? firstChange + 1 : firstChange;
      for (let dieAt = first; ; dieAt += 1) {
        const { killed } = await runWorker({ ...task(trial), work: { kind: "create" }, dieAt });
        const session = trial.session();
        const volume = await session.create();
        await expectOnly(trial, [volume]);
        await trial.withDevice(session, volume, (device) => device.expectZeros(0, unit));
        await session.delete(volume);
        assert.deepEqual(await trial.subject.storage.traces(volume.id), []);
        if (trial.subject.isSlow) return;
        if (killed) continue;
        assert.ok(dieAt > firstChange, "no process was killed");
        return;
      }
    },
  },
  {
    name: "a clone whose process is killed while its data is copied is finished by the next run, once",
    clauses: ["CLN-1"],
    async run(trial) {
      const session = trial.session();
      const source = await trial.written(session, bytes);
      // Where nothing has to be copied, the process comes to its end.
      await runWorker({ ...task(trial), work: { kind: "clone", sourceId: source.id }, dieAt: "job" });
      const next = trial.session();
      const clone = await next.clone(source);
      await expectOnly(trial, [source, clone]);
      await trial.expectContent(next, clone, bytes);
      await next.delete(clone);
      assert.deepEqual(await trial.subject.storage.traces(clone.id), []);
    },
  },
  {
    name: "a creation that loses its connection is told as in doubt, and the next run puts it right",
    clauses: ["CRE-1"],
    async run(trial) {
      await losingConnections(trial, {
        act: (session) => session.create(),
        async after() {
          const session = trial.session();
          const volume = await session.create();
          await expectOnly(trial, [volume]);
          await session.delete(volume);
        },
      });
    },
  },
  {
    name: "a snapshot, an extension and a deletion that lose their connection are in doubt, and doing them again succeeds",
    clauses: ["SNP-1", "SNP-2", "EXT-1", "DEL-1"],
    async run(trial) {
      const session = trial.session();
      const volume = await trial.written(session, bytes);
      await losingConnections(trial, {
        act: (lost) => lost.snapshot(volume),
        after: async () => void (await trial.session().snapshot(volume)),
      });
      const snapshot = await trial.session().snapshot(volume);
      const { snapshots } = await trial.session().backend.listing();
      const own = [...snapshots.values()].filter(({ owner }) => owner === trial.owner);
      assert.deepEqual(own, [snapshot]);
      await losingConnections(trial, {
        act: (lost) => lost.deleteSnapshot(snapshot),
        after: () => trial.session().deleteSnapshot(snapshot),
      });
      assert.deepEqual(await trial.subject.storage.traces(snapshot.id), []);
      await losingConnections(trial, {
        act: (lost) => lost.extend(volume, 2 * unit),
        after: async () => void (await trial.session().extend(volume, 2 * unit)),
      });
      const next = trial.session();
      await trial.withDevice(next, volume, async (device) => {
        assert.equal(await device.sizeBytes(), 2 * unit);
        await device.expectContent(bytes);
        await device.expectZeros(unit, unit);
      });
      await losingConnections(trial, {
        act: (lost) => lost.delete(volume),
        after: () => trial.session().delete(volume),
      });
      assert.deepEqual(await trial.subject.storage.traces(volume.id), []);
    },
  },
];

function task(trial: Trial, owner = trial.owner): Pick<WorkerTask, "settings" | "storage"> {
  return {
    settings: trial.settings({ owner }),
    storage: { provisioning: trial.subject.storage.provisioning },
  };
}

/** The trial's owner has these volumes, and nothing is damaged. */
async function expectOnly(trial: Trial, wanted: readonly VolumeRecord[]): Promise<void> {
  const { volumes, damaged } = await trial.session().backend.listing();
  const own = [...volumes.values()].filter(({ owner }) => owner === trial.owner);
  assert.deepEqual(own.map(({ id }) => id).sort(), wanted.map(({ id }) => id).sort());
  assert.deepEqual([...damaged.values()], []);
}
