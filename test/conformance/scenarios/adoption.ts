import { strict as assert } from "node:assert";
import { content } from "../device.ts";
import { present, refusal } from "../expect.ts";
import { firstChange } from "../losing-connections.ts";
import { runWorker } from "../run-worker.ts";
import type { Scenario } from "../scenario.ts";
import { unit } from "../session.ts";
import type { PlantedVolume } from "../subject.ts";
import type { Trial } from "../trial.ts";

const bytes = content("somebody's");

export const adoptionScenarios: readonly Scenario[] = [
  {
    name: "a volume that others made is managed as it is, used, and given back as it was found",
    clauses: ["MNG-1", "MNG-3"],
    async run(trial) {
      const { session, planted, found, before } = await plant(trial);
      const untouched = await planted.content();
      assert.equal(found.sizeBytes, planted.sizeBytes);
      const volume = await session.adopt(found);
      assert.equal(volume.adoptedFrom, planted.reference);
      assert.equal(await planted.content(), untouched);
      const next = trial.session();
      assert.equal(await next.manageable(planted.reference), undefined);
      const again = present(await next.find(volume), "the adopted volume");
      assert.equal(again.id, found.id);
      assert.equal(again.location, found.location);
      await trial.expectContent(next, again, bytes);
      await next.giveBack(again);
      assert.equal(await planted.fingerprint(), before);
      assert.deepEqual(await trial.subject.storage.traces(found.id), []);
      assert.deepEqual(await trial.session().manageable(planted.reference), found);
      await next.giveBack(again);
    },
  },
  {
    name: "an adopted volume grows, has snapshots, and is deleted as any other",
    clauses: ["MNG-1", "MNG-3", "DEL-1"],
    async run(trial) {
      const { session, planted, found } = await plant(trial);
      const volume = await session.adopt(found);
      const grown = await session.extend(volume, 2 * unit);
      await trial.withDevice(session, grown, async (device) => {
        await device.expectContent(bytes);
        assert.equal(await device.sizeBytes(), 2 * unit);
        await device.expectZeros(found.sizeBytes, 2 * unit - found.sizeBytes);
      });
      const snapshot = await session.snapshot(grown);
      await refusal(session.giveBack(volume), "VolumeIsBusy", snapshot.id);
      await session.deleteSnapshot(snapshot);
      await session.delete(grown);
      assert.deepEqual(await trial.subject.storage.traces(found.id), []);
      const next = trial.session();
      assert.equal(await next.find(volume), undefined);
      assert.equal(await next.manageable(planted.reference), undefined);
    },
  },
  {
    name: "what is in use, or has changed since it was found, is not managed",
    clauses: ["MNG-2"],
    isAboutRecords: true,
    async run(trial) {
      const { session, planted, found, before } = await plant(trial);
      assert.equal(found.reason_not_safe, null);
      const release = await planted.hold();
      try {
        assert.equal((await trial.session().manageable(planted.reference))?.safe_to_manage, false);
        await refusal(session.adopt(found), "VolumeIsBusy");
      } finally {
        await release();
      }
      const smaller = { ...found, sizeBytes: found.sizeBytes - 512 };
      await refusal(trial.session().adopt(smaller), "VolumeBackendError", String(found.sizeBytes));
      assert.equal(await planted.fingerprint(), before);
      const volume = await trial.session().adopt(found);
      const theirs = trial.session({ owner: `${trial.owner}/theirs` });
      await refusal(theirs.adopt(found), "NotOwned");
      await refusal(theirs.giveBack(volume), "NotOwned");
      await trial.session().giveBack(volume);
    },
  },
  {
    name: "an adoption or a giving back whose process is killed at any of its steps is finished by the next run",
    clauses: ["MNG-1", "MNG-3"],
    isAboutRecords: true,
    async run(trial) {
      const { planted, found, before } = await plant(trial);
      const { reference } = planted;
      const { provisioning } = trial.subject.storage;
      const task = { settings: trial.settings(), storage: { provisioning } };
      const untouched = await planted.content();
      const { id } = found;
      for (const work of [
        { kind: "adopt", reference },
        { kind: "give back", id },
      ] as const) {
        const first = trial.subject.isSlow ? firstChange + 1 : firstChange;
        if (work.kind === "give back") await trial.session().adopt(found);
        for (let dieAt = first; ; dieAt += 1) {
          const { killed } = await runWorker({ ...task, work, dieAt });
          const session = trial.session();
          const left = await session.manageable(reference);
          if (left !== undefined) assert.deepEqual(left, found);
          const volume = await session.adopt(found);
          assert.equal(await planted.content(), untouched);
          if (work.kind === "adopt") {
            await session.giveBack(volume);
            assert.equal(await planted.fingerprint(), before);
          }
          if (trial.subject.isSlow) break;
          if (killed) continue;
          assert.ok(dieAt > firstChange, "no process was killed");
          break;
        }
      }
    },
  },
];

/** A volume that others made, as a run finds it. */
async function plant(trial: Trial) {
  const planted: PlantedVolume = await trial.subject.storage.plantVolume(bytes);
  trial.atEnd(() => planted.remove());
  const before = await planted.fingerprint();
  const session = trial.session();
  const found = present(await session.manageable(planted.reference), "what others made");
  return { session, planted, found, before };
}
