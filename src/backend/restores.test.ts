import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { LocalHost, localBackend } from "../../test/support/backend.ts";
import { tempDirectory } from "../../test/support/temp-directory.ts";
import { bytesPerGib, type JobSpec, StorageError } from "../contract/index.ts";
import {
  attach,
  createSnapshot,
  createVolume,
  detach,
  findVolume,
  leaveRestore,
  restoreVolume,
  retainVolume,
  updateSnapshot,
} from "./index.ts";

/** A host whose next job waits until something else has happened. */
class SleepyHost extends LocalHost {
  #before: (() => Promise<void>) | undefined;

  constructor(before: () => Promise<void>) {
    super();
    this.#before = before;
  }

  override async runJob(job: JobSpec) {
    const before = this.#before;
    this.#before = undefined;
    await before?.();
    return super.runJob(job);
  }
}

const common = { labels: {}, defaultLabels: {}, deletionProtection: false, settings: {} };

/** A volume that holds "new", with a snapshot from when it held "old"; each `run` is a process of its own. */
async function changedSince() {
  const directory = tempDirectory();
  const first = localBackend({ directory }).backend;
  const volume = await createVolume(
    first,
    {
      ...{ ...common, name: "db", namePrefix: null, sizeBytes: bytesPerGib, source: null, pool: null },
      ...{ provisioning: "thin", multiattach: false },
    },
    undefined,
  );
  const write = (text: string) => writeFileSync(volume.location, text, { flag: "r+" });
  write("old");
  const snapshot = await createSnapshot(first, { ...common, volumeId: volume.id, name: "s" }, undefined);
  write("new");
  const { identity } = await first.listing();
  if (identity === null) throw new Error("the storage has no identity");
  return {
    write,
    data: () => readFileSync(volume.location).toString("latin1", 0, 5).replace(/\0+$/, ""),
    halfMade: () => readdirSync(`${directory}/.breezeblock/creating`),
    leave: () => leaveRestore(localBackend({ directory }).backend, volume.id, identity, undefined),
    retain: () => retainVolume(localBackend({ directory }).backend, volume.id, identity, undefined),
    relabel: () =>
      updateSnapshot(
        localBackend({ directory }).backend,
        snapshot.id,
        identity,
        { labels: { a: "b" } },
        undefined,
      ),
    record: () => findVolume(localBackend({ directory }).backend, volume.id, identity),
    restore: (trigger: string, host = new LocalHost()) =>
      restoreVolume(
        localBackend({ directory, host }).backend,
        volume.id,
        identity,
        {
          snapshotId: snapshot.id,
          settings: { trigger },
          isDone: (settings) => settings["trigger"] === trigger,
        },
        undefined,
      ),
    use: async (text: string) => {
      const { backend } = localBackend({ directory });
      const connector = { host: "here" };
      const { attachment } = await attach(backend, { volumeId: volume.id, connector, mode: "rw" }, undefined);
      write(text);
      await detach(backend, attachment.id, identity, volume.id, undefined);
    },
  };
}

const killed = () =>
  new SleepyHost(async () => {
    throw new StorageError({ kind: "OperationInDoubt", action: "run", reason: "the connection was lost" });
  });

describe("a run that sleeps while its restore is ended by another one", () => {
  test("leaves what has been written since, and reports the volume as it is", async () => {
    const site = await changedSince();
    const late = new SleepyHost(async () => {
      await site.restore("2");
      await site.use("newer");
    });
    const record = await site.restore("2", late);
    expect(record).toMatchObject({ settings: { trigger: "2" } });
    expect(record).not.toHaveProperty("restoring");
    expect(site.data()).toBe("newer");
    expect(site.halfMade()).toEqual([]);
  });

  test("is refused where the other one was not the same", async () => {
    const site = await changedSince();
    const late = new SleepyHost(async () => {
      await site.restore("3");
      await site.use("newer");
    });
    await expect(site.restore("2", late)).rejects.toMatchObject({ kind: "VolumeIsBusy" });
    expect(site.data()).toBe("newer");
    expect(await site.record()).toMatchObject({ settings: { trigger: "3" } });
  });

  test("does not give up what another one has begun since", async () => {
    const site = await changedSince();
    const late = new SleepyHost(async () => {
      await site.restore("3");
      await expect(site.restore("4", killed())).rejects.toMatchObject({ kind: "OperationInDoubt" });
    });
    await expect(site.restore("2", late)).rejects.toMatchObject({ kind: "VolumeIsBusy" });
    expect(await site.record()).toHaveProperty("restoring");
    await site.restore("4");
    expect(await site.record()).toMatchObject({ settings: { trigger: "4" } });
    expect(site.data()).toBe("old");
  });
});

test("a restore that was broken off can be taken back; until then the volume is not retained, nor its snapshot changed", async () => {
  const site = await changedSince();
  await expect(site.restore("2", killed())).rejects.toMatchObject({ kind: "OperationInDoubt" });
  await expect(site.retain()).rejects.toMatchObject({ kind: "VolumeIsBusy" });
  await expect(site.relabel()).rejects.toMatchObject({ kind: "SnapshotIsBusy" });
  await site.leave();
  expect(site.data()).toBe("new");
  expect(await site.record()).toMatchObject({ settings: {} });
  expect(await site.record()).not.toHaveProperty("restoring");
  await site.relabel();
});

test("a restore that was broken off is gone on with by the next run", async () => {
  const site = await changedSince();
  await expect(site.restore("2", killed())).rejects.toMatchObject({ kind: "OperationInDoubt" });
  await site.restore("2");
  expect(site.data()).toBe("old");
  expect(await site.record()).not.toHaveProperty("restoring");
});
