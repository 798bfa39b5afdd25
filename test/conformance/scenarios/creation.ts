import { strict as assert } from "node:assert";
import type { VolumeRequest } from "../../../src/backend/index.ts";
import { content } from "../device.ts";
import { present, refusal } from "../expect.ts";
import type { Scenario } from "../scenario.ts";
import { unit } from "../session.ts";

export const creationScenarios: readonly Scenario[] = [
  {
    name: "a new volume is as asked for, for later runs too, and nobody has access to it",
    clauses: ["CRE-1"],
    async run(trial) {
      const session = trial.session();
      const labels = { team: "db", "it's": 'a "label" $HOME ü' };
      const made = await session.create({ labels, settings: { volume_clear: null } });
      const found = present(await trial.session().find(made), "the volume");
      assert.deepEqual(found, made);
      const { provisioning } = trial.subject.storage;
      const asked = { name: "data", owner: trial.owner, sizeBytes: unit, provisioning, labels, source: null };
      for (const [key, value] of Object.entries(asked)) {
        assert.deepEqual(found[key as keyof typeof found], value, key);
      }
      assert.equal(found.phase, "unacknowledged");
      assert.deepEqual(found.attachments, []);
      assert.equal((await session.exportOf(made))?.granted.size ?? 0, 0);
    },
  },
  {
    name: "a name is one volume's for each owner, and is free again when that is deleted",
    clauses: ["CRE-1"],
    isAboutRecords: true,
    async run(trial) {
      const session = trial.session();
      const first = await session.create();
      await Promise.all([
        refusal(session.create(), "AlreadyExists", "data", first.id),
        session.create({ name: "other" }),
      ]);
      await trial.session({ owner: `${trial.owner}/other` }).create();
      await session.delete(first);
      assert.notEqual((await session.create()).id, first.id);
    },
  },
  {
    name: "what a run made and no state is known to hold is taken up by the same request of the next run",
    clauses: ["CRE-1", "SNP-1"],
    isAboutRecords: true,
    async run(trial) {
      const volume = await trial.session().create();
      const next = trial.session();
      assert.equal((await next.create()).id, volume.id);
      await refusal(trial.session().create({ sizeBytes: 2 * unit }), "AlreadyExists");
      const snapshot = await next.snapshot(volume);
      assert.equal((await trial.session().snapshot(volume)).id, snapshot.id);
      next.backend.noteState(volume.id, await next.identity());
      await next.backend.acknowledged();
      await refusal(trial.session().create(), "AlreadyExists", volume.id);
    },
  },
  {
    name: "a new volume reads as zeros, also where a deleted one had its data",
    clauses: ["CRE-2"],
    async run(trial) {
      const session = trial.session();
      const first = await session.create();
      await trial.withDevice(session, first, (device) => device.fill(unit));
      await session.delete(first);
      const next = await session.create({ name: "next" });
      await trial.withDevice(session, next, async (device) => {
        assert.equal(await device.sizeBytes(), unit);
        await device.expectZeros(0, unit);
      });
    },
  },
  {
    name: "what a deleted volume held is on no free space, where the backend is to clear it",
    clauses: ["CRE-2", "DEL-1"],
    appliesTo: ({ clearsFreedSpace }) => clearsFreedSpace,
    async run(trial) {
      const { careless, freeSpaceHolds } = present(trial.subject.storage.clearing, "clearing");
      const session = trial.session();
      const deleteOneFullOf = async (text: string, settings: VolumeRequest["settings"]) => {
        const volume = await session.create({ settings });
        await trial.withDevice(session, volume, (device) => device.fill(unit, text));
        await session.delete(volume);
      };
      const [left, cleared] = [`left by ${trial.owner}`, `cleared for ${trial.owner}`];
      await deleteOneFullOf(left, careless);
      assert.ok(await freeSpaceHolds(left, unit), "the test finds nothing where there is something");
      await deleteOneFullOf(cleared, {});
      assert.ok(!(await freeSpaceHolds(cleared, unit)), "its data is there still");
    },
  },
  {
    name: "a grown volume keeps its content, and its new part reads as zeros, also where a deleted one had its data",
    clauses: ["CRE-2", "EXT-1"],
    async run(trial) {
      const session = trial.session();
      const kept = content("kept");
      const [volume, neighbour] = await Promise.all([
        trial.written(session, kept, { name: "grows" }),
        session.create({ name: "neighbour" }),
      ]);
      await trial.withDevice(session, neighbour, (device) => device.fill(unit));
      await session.delete(neighbour);
      assert.equal((await session.extend(volume, 2 * unit)).sizeBytes, 2 * unit);
      assert.equal((await trial.session().find(volume))?.sizeBytes, 2 * unit);
      await trial.withDevice(session, volume, async (device) => {
        assert.equal(await device.sizeBytes(), 2 * unit);
        await device.expectContent(kept);
        await device.expectZeros(unit, unit);
        await device.write(kept, 2 * unit - kept.length);
        await device.expectContent(kept, 2 * unit - kept.length);
      });
    },
  },
];
