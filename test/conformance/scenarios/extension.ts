import { strict as assert } from "node:assert";
import { content } from "../device.ts";
import { refusal } from "../expect.ts";
import type { Scenario } from "../scenario.ts";
import { unit } from "../session.ts";

const bytes = content("before it grew");

export const extensionScenarios: readonly Scenario[] = [
  {
    name: "a volume with a snapshot grows and the snapshot does not, or it is refused naming the snapshot",
    clauses: ["EXT-1", "SNP-1"],
    async run(trial) {
      const session = trial.session();
      const volume = await trial.written(session, bytes);
      const snapshot = await session.snapshot(volume);
      const sizeBytes = await session.extend(volume, 2 * unit).then(
        () => 2 * unit,
        (error: unknown) => refusal(Promise.reject(error), "VolumeIsBusy", snapshot.name).then(() => unit),
      );
      assert.equal((await trial.session().find(volume))?.sizeBytes, sizeBytes);
      assert.equal((await trial.session().findSnapshot(snapshot))?.sizeBytes, unit);
      await trial.expectContent(session, volume, bytes);
    },
  },
  {
    name: "nothing shrinks, and growing to the size that is there is success",
    clauses: ["EXT-2"],
    async run(trial) {
      const session = trial.session();
      const volume = await session.create({ sizeBytes: 2 * unit });
      await refusal(session.extend(volume, unit), "InvalidInput");
      assert.equal((await session.extend(volume, 2 * unit)).sizeBytes, 2 * unit);
      assert.equal((await trial.session().find(volume))?.sizeBytes, 2 * unit);
    },
  },
];
