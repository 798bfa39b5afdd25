import { strict as assert } from "node:assert";
import { content } from "../device.ts";
import { present, refusal } from "../expect.ts";
import { firstChange } from "../losing-connections.ts";
import { runWorker } from "../run-worker.ts";
import type { Scenario } from "../scenario.ts";
import type { Trial } from "../trial.ts";

const contents = ["first", "second"].map((seed) => content(seed));

export const groupScenarios: readonly Scenario[] = [
  {
    name: "a group snapshot holds what each of its volumes held, is deleted as a whole or not at all, and leaves nothing",
    clauses: [],
    async run(trial) {
      const session = trial.session();
      const volumes = await twoVolumes(trial);
      const group = await session.groupSnapshot(volumes);
      assert.deepEqual(await trial.session().findGroup(group), group);
      assert.deepEqual(
        group.members.map(({ volumeId }) => volumeId),
        volumes.map(({ id }) => id),
      );
      for (const volume of volumes) {
        await trial.withDevice(session, volume, (device) => device.write(content("later")));
      }
      const [protectedOne, other] = group.members;
      await session.changeSnapshot(protectedOne, { deletionProtection: true });
      await refusal(trial.session().deleteGroup(group), "DeletionProtected");
      present(await trial.session().findSnapshot(present(other, "the second")), "the second");
      await session.unprotectSnapshot(protectedOne);
      const copies = await Promise.all(
        group.members.map((member, index) => session.fromSnapshot(member, { name: `copy-${index}` })),
      );
      for (const [index, copy] of copies.entries()) {
        await trial.expectContent(session, copy, present(contents[index], "what was written"));
      }
      await trial.session().deleteGroup(group);
      assert.equal(await trial.session().findGroup(group), undefined);
      for (const { id } of group.members) assert.deepEqual(await trial.subject.storage.traces(id), []);
      await trial.session().deleteGroup(group);
    },
  },
  {
    name: "a group snapshot is refused while somebody can write to one of its volumes, and then nothing is made",
    clauses: [],
    isAboutRecords: true,
    async run(trial) {
      const session = trial.session();
      const volumes = await twoVolumes(trial);
      const second = present(volumes[1], "the second volume");
      const granted = await session.attach(second, trial.consumer);
      await refusal(trial.session().groupSnapshot(volumes), "VolumeIsBusy", granted.attachment.id);
      assert.deepEqual(await ownSnapshots(trial), []);
      await session.detach(granted);
      const reading = await session.attach(second, trial.consumer, "ro");
      const group = await trial.session().groupSnapshot(volumes);
      await session.detach(reading);
      await refusal(trial.session().groupSnapshot([second], "group"), "AlreadyExists", group.id);
    },
  },
  {
    name: "a group snapshot whose process is killed at any of its steps is finished by the next run, or taken anew as a whole",
    clauses: [],
    isAboutRecords: true,
    async run(trial) {
      const volumes = await twoVolumes(trial);
      const work = { kind: "group", volumeIds: volumes.map(({ id }) => id) } as const;
      for (const dieAt of trial.subject.isSlow ? ([firstChange + 1] as const) : stepsUpwards()) {
        const { killed } = await runWorker({ ...task(trial), work, dieAt });
        const session = trial.session();
        const group = await session.groupSnapshot(volumes);
        assert.deepEqual(
          (await ownSnapshots(trial)).map(({ id }) => id).sort(),
          group.members.map(({ id }) => id).sort(),
        );
        for (const [index, member] of group.members.entries()) {
          const copy = await session.fromSnapshot(member, { name: `copy-${index}` });
          await trial.expectContent(session, copy, present(contents[index], "what was written"));
          await session.delete(copy);
        }
        await session.deleteGroup(group);
        if (!killed && dieAt !== "job") return;
      }
    },
  },
];

function twoVolumes(trial: Trial) {
  const session = trial.session();
  return Promise.all(
    contents.map((bytes, index) => trial.written(session, bytes, { name: `volume-${index}` })),
  );
}

async function ownSnapshots(trial: Trial) {
  const { snapshots } = await trial.session().backend.listing();
  return [...snapshots.values()].filter(({ owner }) => owner === trial.owner);
}

/** Once a job has begun, then in the place of the first change under the lock, of the second, and so on. */
function* stepsUpwards(): Generator<number | "job"> {
  yield "job";
  for (let nth = firstChange; ; nth += 1) yield nth;
}

function task(trial: Trial) {
  return { settings: trial.settings(), storage: { provisioning: trial.subject.storage.provisioning } };
}
