import { strict as assert } from "node:assert";
import { moveOf } from "../../../src/backend/index.ts";
import type { VolumeRecord } from "../../../src/contract/index.ts";
import { content } from "../device.ts";
import { refusal } from "../expect.ts";
import { firstChange } from "../losing-connections.ts";
import { otherThan, type Place } from "../places.ts";
import { runWorker } from "../run-worker.ts";
import type { Scenario } from "../scenario.ts";
import { unit } from "../session.ts";
import type { Trial } from "../trial.ts";

const first = content("first");
const inTheMiddle = content("in the middle");
const last = content("last");
/** No multiple of anything that a technology rounds to; some round it up. */
const oddSize = unit + 3 * 512 + 7;

export const migrationScenarios: readonly Scenario[] = [
  {
    name: "a volume moves here from other storage and back, on one host and as between two, with its bytes, id and labels; nothing is left where it was, and nothing moves that is attached",
    clauses: ["MIG-1", "MIG-2"],
    async run(trial) {
      const labels = { app: "db" };
      const made = await madeElsewhere(trial, { labels, deletionProtection: true });
      const here = trial.places();
      const volume = await here.move(made, "elsewhere");
      assert.deepEqual(await known(trial, made, "here"), volume);
      assert.equal(volume.provisioning, trial.subject.storage.provisioning);
      assert.deepEqual(identityOf(volume), identityOf(made));
      assert.deepEqual(await trial.subject.elsewhere.traces(made.id), []);
      await expectMoved(trial, volume, Buffer.alloc(last.length));

      const granted = await here.here.attach(volume, trial.consumer);
      await refusal(trial.places().move(volume, "here"), "VolumeIsBusy", trial.consumer.name);
      assert.deepEqual(await trial.subject.elsewhere.traces(made.id), []);
      await here.here.detach(granted);
      await trial.withDevice(here.here, volume, (device) => device.write(inTheMiddle, unit / 2));

      const back = await trial.places({ way: "other" }).move(volume, "here");
      assert.deepEqual(await known(trial, made, "elsewhere"), back);
      assert.deepEqual(identityOf(back), identityOf(made));
      assert.deepEqual(await trial.subject.storage.traces(made.id), []);
      await expectMoved(trial, back, inTheMiddle);
    },
  },
  {
    name: "a move whose process is killed somewhere on its way leaves the old volume whole or the new one, and the next run finishes it",
    clauses: ["MIG-3"],
    async run(trial) {
      let volume = await madeElsewhere(trial);
      let from: Place = "elsewhere";
      for (const dieAt of trial.subject.isSlow ? slowSteps : stepsUpwards()) {
        const { killed } = await runWorker({
          settings: trial.placesSettings(),
          storage: { provisioning: trial.subject.storage.provisioning },
          work: {
            kind: "move",
            volumeId: volume.id,
            from,
            elsewhere: { provisioning: trial.subject.elsewhere.provisioning },
          },
          dieAt,
        });
        const next = trial.places();
        const left = await next.find(volume, from);
        await expectMoved(trial, left.volume, Buffer.alloc(last.length));
        volume = await next.move(volume, from);
        from = otherThan(from);
        assert.deepEqual(await known(trial, volume, from), volume);
        await expectMoved(trial, volume, Buffer.alloc(last.length));
        const { storage, elsewhere } = trial.subject;
        assert.deepEqual(await (from === "here" ? elsewhere : storage).traces(volume.id), []);
        if (killed) continue;
        assert.ok(typeof dieAt === "number" && dieAt > firstChange, "no process was killed");
        return;
      }
    },
  },
];

/** While the content is copied, in each direction, and in the place of an early change. */
const slowSteps = ["job", "job", firstChange + 1] as const;

/**
 * While the content is copied, in each direction, then in the place of a change under a lock, from the first to the last.
 * Not of each: test/migration.test.ts does that, without processes, which take their time.
 */
function* stepsUpwards(): Generator<number | "job"> {
  yield "job";
  yield "job";
  for (let nth = firstChange; ; nth += 3) yield nth;
}

/** A volume on the other storage: data, a hole, and data at its very end. */
async function madeElsewhere(
  trial: Trial,
  request: Partial<Pick<VolumeRecord, "labels" | "deletionProtection">> = {},
): Promise<VolumeRecord> {
  const { elsewhere } = trial.places();
  const volume = await elsewhere.create({ sizeBytes: oddSize, ...request });
  await trial.withDevice(elsewhere, volume, async (device) => {
    await device.write(first);
    await device.write(last, oddSize - last.length);
  });
  return volume;
}

/** What a run finds that knows no more than that the volume was made on the other storage: in `place`, and no move of it. */
async function known(trial: Trial, made: Pick<VolumeRecord, "id">, place: Place): Promise<VolumeRecord> {
  const places = trial.places();
  const found = await places.find(made, "elsewhere");
  assert.equal(found.place, place);
  assert.equal(found.volume.phase, "acknowledged");
  assert.equal(moveOf(found.volume), undefined);
  for (const session of [places.here, places.elsewhere]) {
    assert.deepEqual([...(await session.backend.listing()).damaged.values()], []);
  }
  return found.volume;
}

function identityOf({ id, name, owner, labels, deletionProtection, createdAt }: VolumeRecord) {
  return { id, name, owner, labels, deletionProtection, createdAt };
}

/** All of a moved volume: what is rounded up on the way reads as zeros. */
async function expectMoved(trial: Trial, volume: VolumeRecord, middle: Uint8Array): Promise<void> {
  assert.ok(volume.sizeBytes >= oddSize, `it has ${volume.sizeBytes} bytes, and had ${oddSize}`);
  await trial.withDevice(trial.places().here, volume, async (device) => {
    await device.expectContent(first);
    await device.expectZeros(first.length, unit / 2 - first.length);
    await device.expectContent(middle, unit / 2);
    const behind = unit / 2 + middle.length;
    await device.expectZeros(behind, oddSize - last.length - behind);
    await device.expectContent(last, oddSize - last.length);
    await device.expectZeros(oddSize, volume.sizeBytes - oddSize);
  });
}
