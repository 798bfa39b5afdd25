import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { SnapshotRecord, VolumeRecord, Work } from "../../src/contract/index.ts";
import { exitCodes } from "../../src/drivers/lvm/scripts.ts";
import { labAvailability, useLab } from "../lab/use-lab.ts";
import { titled } from "../support/availability.ts";
import { newVolume } from "../support/file-backend.ts";
import { LvmGround, lvmName, mebibyte } from "./ground.ts";

const thick = { provisioning: "thick", sizeBytes: 16 * mebibyte } as const;

describe.skipIf(!labAvailability.available)(titled("thick volumes", labAvailability), () => {
  const lab = useLab({ consumers: 0 });
  let ground: LvmGround;
  beforeAll(() => {
    ground = new LvmGround(lab.current());
  });
  afterEach(async () => {
    expect(await ground.lockIsFree()).toBe(true);
  });
  afterAll(() => ground?.host.close());

  /** Makes the next volume land where somebody's data was. */
  async function leaveDataBehind(): Promise<void> {
    await ground.sh("lvcreate -qq -y --type linear -L 64M -n theirs vg0");
    await ground.fill({ location: "/dev/vg0/theirs" }, "theirs", 64 * mebibyte);
    await ground.sh("lvremove -qq -y vg0/theirs");
  }

  async function removeAll(...objects: readonly (VolumeRecord | SnapshotRecord)[]): Promise<void> {
    for (const object of objects) {
      if ("volumeId" in object) await ground.backend.deleteSnapshot(object);
      else await ground.backend.delete(object);
    }
    expect(await ground.ours()).toEqual([]);
  }

  it("show nothing of what was there before, new or grown, nor leave anything behind", async () => {
    const { backend } = ground;
    await leaveDataBehind();
    const volume = await backend.create(thick);
    expect(await ground.filledBytes(volume.location)).toBe(0);
    await ground.fill(volume, "ours", volume.sizeBytes);
    let sizeWhileClearing = 0;
    backend.beforeJob = async () => {
      sizeWhileClearing = (await backend.list()).volumes.get(volume.id)?.sizeBytes ?? 0;
    };
    const attached = await backend.attach(volume);
    const grown = await backend.extend(attached, 32 * mebibyte);
    backend.beforeJob = async () => undefined;
    expect(sizeWhileClearing).toBe(16 * mebibyte);
    expect(grown.sizeBytes).toBe(32 * mebibyte);
    expect(await ground.filledBytes(grown.location)).toBe(16 * mebibyte);
    expect(await ground.filledBytes(grown.location, 16 * mebibyte)).toBe(0);
    const [attachment] = grown.attachments;
    const detached = await backend.change((context) =>
      backend.driver.detachVolume(grown, attachment?.id ?? "", context),
    );
    const place = await ground.place(lvmName(detached));
    expect(place.bytes).toBe(32 * mebibyte);
    await removeAll(detached);
    expect(await ground.filledBytes(place.device, place.offset, place.bytes)).toBe(0);
  });

  it("grow onto exactly the space that was cleared, however often it is begun or completed", async () => {
    const { backend } = ground;
    const { driver } = backend;
    const volume = await backend.create(thick);
    // A run that asked for another size was killed after it had reserved the space.
    await backend.change((context) => driver.extendVolume(volume, 48 * mebibyte, context));
    await leaveDataBehind();
    const [first, again] = [
      await backend.change((context) => driver.extendVolume(volume, 32 * mebibyte, context)),
      await backend.change((context) => driver.extendVolume(volume, 32 * mebibyte, context)),
    ];
    expect(again).toEqual(first);
    if (first.state !== "working") throw new Error("thick space is cleared by a job");
    const cleared = await ground.ranges(`${lvmName(volume)}.extension`);
    await backend.runJob(first.job);
    for (let time = 0; time < 2; time += 1) {
      const grown = await backend.change((context) =>
        driver.completeExtension(volume, 32 * mebibyte, context),
      );
      expect(grown.sizeBytes).toBe(32 * mebibyte);
    }
    await backend.host.forgetJob(first.job);
    const [, start = ""] = cleared.split(":");
    const [last] = start.split("-").slice(-1);
    expect((await ground.ranges(lvmName(volume))).endsWith(`-${last}`)).toBe(true);
    expect(await ground.filledBytes(volume.location)).toBe(0);
    await removeAll(volume);
  });

  it("are told when the cleared space was lost, and grow when asked again", async () => {
    const { backend } = ground;
    const { driver } = backend;
    const volume = await backend.create(thick);
    await backend.change((context) => driver.extendVolume(volume, 32 * mebibyte, context));
    // As a kill between giving the space back and taking it for the volume leaves it.
    await ground.sh('lvremove -qq -y "$1"', `${lvmName(volume)}.extension`);
    const completion = backend.change((context) => driver.completeExtension(volume, 32 * mebibyte, context));
    await expect(completion).rejects.toMatchObject({ kind: "VolumeBackendError" });
    expect((await backend.extend(volume, 32 * mebibyte)).sizeBytes).toBe(32 * mebibyte);
    await removeAll(volume);
  });

  it("keep what a snapshot saw, and are not grown or deleted below it", async () => {
    const { backend } = ground;
    const volume = await backend.create(thick);
    await ground.fill(volume, "before", mebibyte);
    const snapshot = await backend.snapshot(volume);
    await ground.fill(volume, "after", mebibyte);
    const restored = await backend.fromSnapshot(snapshot, {
      provisioning: "thick",
      sizeBytes: 48 * mebibyte,
    });
    expect(await ground.text(restored, 7)).toBe("before\n");
    expect(await ground.filledBytes(restored.location)).toBe(mebibyte);
    await expect(backend.extend(volume, 32 * mebibyte)).rejects.toMatchObject({ kind: "VolumeIsBusy" });
    await expect(backend.delete(volume)).rejects.toThrow(snapshot.id);
    const place = await ground.place(lvmName(snapshot));
    await backend.deleteSnapshot(snapshot);
    expect(await ground.filledBytes(place.device, place.offset, place.bytes)).toBe(0);
    await removeAll(volume, restored);
  });

  it("are not written to by a job that starts late, when another run has finished them and they are in use", async () => {
    const { backend } = ground;
    const { driver, host } = backend;
    const asked = newVolume(thick);
    const clearing = await backend.change((context) => driver.createVolume(asked, context));
    const volume = await finished(asked.id, clearing);
    await ground.fill(volume, "ours", volume.sizeBytes);
    const snapshot = await backend.snapshot(volume);
    const source = { kind: "snapshot", id: snapshot.id } as const;
    const askedCopy = newVolume({ ...thick, source });
    const copying = await backend.change((context) =>
      driver.createVolumeFromSnapshot(askedCopy, snapshot, context),
    );
    const copy = await finished(askedCopy.id, copying);
    await ground.fill(copy, "newer", copy.sizeBytes);
    for (const work of [clearing, copying]) {
      if (work.state !== "working") throw new Error("thick space is filled by jobs");
      const { exitCode, stderr } = await host.runJob(work.job);
      expect([exitCode, stderr.toString()]).toEqual([
        exitCodes.changed,
        expect.stringContaining("is not being made any more"),
      ]);
      await host.forgetJob(work.job);
    }
    expect([await ground.text(volume, 5), await ground.text(copy, 6)]).toEqual(["ours\n", "newer\n"]);
    await removeAll(copy, snapshot, volume);

    async function finished(id: string, work: Work<VolumeRecord>): Promise<VolumeRecord> {
      if (work.state !== "working") throw new Error("thick space is filled by jobs");
      await backend.runJob(work.job);
      const record = await backend.change((context) => driver.completeVolume(id, context));
      await host.forgetJob(work.job);
      return record;
    }
  });

  it("are not deleted with other people's snapshots on them", async () => {
    const { backend } = ground;
    const volume = await backend.create(thick);
    await ground.sh('lvcreate -qq -y -s -L 8M -n theirs-cow "$1"', lvmName(volume));
    await expect(backend.delete(volume)).rejects.toThrow("vg0/theirs-cow");
    await ground.sh("lvremove -qq -y vg0/theirs-cow");
    await removeAll(volume);
  });

  it("have snapshots that say when they are broken, and can then only be deleted", async () => {
    const { backend } = ground;
    const volume = await backend.create({ ...thick, sizeBytes: 96 * mebibyte });
    const snapshot = await backend.snapshot(volume, { settings: { snapshot_size_percent: 10 } });
    await ground.fill(volume, "more than it can hold", 80 * mebibyte);
    expect((await backend.list()).snapshots.get(snapshot.id)?.broken).toContain("ran out");
    const use = backend.fromSnapshot(snapshot, { provisioning: "thick", sizeBytes: 96 * mebibyte });
    await expect(use).rejects.toThrow(/ran out/);
    await removeAll(snapshot, volume);
  });

  it("are cloned as they were at one moment, also when the run is killed and another goes on", async () => {
    const { backend } = ground;
    const { driver } = backend;
    const source = await backend.create(thick);
    await ground.fill(source, "before", 8 * mebibyte);
    const asked = newVolume({ ...thick, id: randomUUID(), source: { kind: "volume", id: source.id } });
    const begin = () => backend.change((context) => driver.createClonedVolume(asked, source, context));
    const begun = await begin();
    await ground.fill(source, "after", 8 * mebibyte);
    const resumed = await begin();
    expect(resumed).toEqual(begun);
    if (resumed.state !== "working") throw new Error("thick volumes are copied by a job");
    const helper = await ground.place(`vg0/bb-${asked.id}.source`);
    await expect(backend.delete(source)).rejects.toMatchObject({ kind: "VolumeIsBusy" });
    await backend.runJob(resumed.job);
    await backend.host.forgetJob(resumed.job);
    // The record of the job was lost after the copy was made: nothing is copied from what is no snapshot any more.
    await backend.runJob(resumed.job);
    const clone = await backend.change((context) => driver.completeVolume(asked.id, context));
    await backend.host.forgetJob(resumed.job);
    expect(clone.phase).toBe("unacknowledged");
    expect(await ground.text(clone, 7)).toBe("before\n");
    expect(await ground.filledBytes(clone.location)).toBe(8 * mebibyte);
    expect(await ground.filledBytes(helper.device, helper.offset, helper.bytes)).toBe(0);
    await removeAll(clone, source);
  });

  it("that were never finished are removed with all that was made for them", async () => {
    const { backend } = ground;
    const { driver } = backend;
    const empty = newVolume(thick);
    await backend.change((context) => driver.createVolume(empty, context));
    const { volumes } = await backend.list();
    expect(volumes.get(empty.id)).toMatchObject({ phase: "creating", sizeBytes: thick.sizeBytes });
    const source = await backend.create(thick);
    await ground.fill(source, "secret", mebibyte);
    const clone = newVolume({ ...thick, source: { kind: "volume", id: source.id } });
    await backend.change((context) => driver.createClonedVolume(clone, source, context));
    await ground.fill(source, "public", mebibyte);
    const helper = await ground.place(`vg0/bb-${clone.id}.source`);
    for (const { id } of [empty, clone]) {
      const record = (await backend.list()).volumes.get(id);
      if (record === undefined) throw new Error(`${id} is not listed`);
      await backend.delete(record);
    }
    expect(await ground.filledBytes(helper.device, helper.offset, helper.bytes)).toBe(0);
    await removeAll(source);
  });

  it("that are being deleted free their name, and the deletion is gone on with", async () => {
    const { backend } = ground;
    const { driver } = backend;
    const volume = await backend.create(thick);
    await ground.fill(volume, "secret", volume.sizeBytes);
    const place = await ground.place(lvmName(volume));
    const begin = () => backend.change((context) => driver.deleteVolume(volume.id, volume.owner, context));
    const begun = await begin();
    expect((await backend.list()).volumes.get(volume.id)?.phase).toBe("deleting");
    expect(await begin()).toEqual(begun);
    await removeAll(volume);
    expect(await ground.filledBytes(place.device, place.offset, place.bytes)).toBe(0);
    await backend.change((context) => driver.completeDeletion(volume.id, volume.owner, context));
  });

  it("are cleared no faster than is allowed, and tell how far that is", async () => {
    const slow = ground.withSettings({ volumeClearMiBPerSecond: 16 });
    const asked = newVolume(thick);
    const work = await slow.change((context) => slow.driver.createVolume(asked, context));
    if (work.state !== "working") throw new Error("thick space is cleared by a job");
    const { stdout } = await slow.host.runJob(work.job);
    expect(stdout.toString()).toContain(`cleared ${thick.sizeBytes} of ${thick.sizeBytes} bytes`);
    await slow.host.forgetJob(work.job);
    await removeAll(await slow.change((context) => slow.driver.completeVolume(asked.id, context)));
  });

  it("are cleared on deletion alone where the backend says that free space is clean, so that it stays so", async () => {
    const plain = ground.withSettings({ volumeClear: "none" });
    const asked = newVolume({ ...thick, settings: { volume_clear: "none" } });
    const volume = await plain.change((context) => plain.driver.createVolume(asked, context));
    if (volume.state !== "ready") throw new Error("there is nothing to clear");
    const grown = await plain.extend(volume.record, 32 * mebibyte);
    await ground.fill(grown, "ours", grown.sizeBytes);
    const place = await ground.place(lvmName(grown));
    await plain.delete(grown);
    expect(await ground.filledBytes(place.device, place.offset, place.bytes)).toBe(0);
  });

  it("leave their data where they say so, and show nobody else's; nor does their snapshot wait", async () => {
    await leaveDataBehind();
    const volume = await ground.backend.create({ ...thick, settings: { volume_clear: "none" } });
    expect(await ground.filledBytes(volume.location)).toBe(0);
    const snapshot = await ground.backend.snapshot(volume);
    await ground.fill(volume, "ours", volume.sizeBytes);
    const place = await ground.place(lvmName(volume));
    await removeAll(snapshot, volume);
    expect(await ground.filledBytes(place.device, place.offset, place.bytes)).toBe(place.bytes);
  });
});
