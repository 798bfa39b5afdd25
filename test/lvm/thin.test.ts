import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { LockedContext, SnapshotRecord, VolumeRecord } from "../../src/contract/index.ts";
import { plantForeign } from "../lab/foreign.ts";
import { labAvailability, useLab } from "../lab/use-lab.ts";
import { titled } from "../support/availability.ts";
import { newVolume } from "../support/file-backend.ts";
import { LvmGround, lvmName, mebibyte } from "./ground.ts";

const thin = { provisioning: "thin", sizeBytes: 32 * mebibyte } as const;

describe.skipIf(!labAvailability.available)(titled("a volume group in use", labAvailability), () => {
  const lab = useLab({ consumers: 0 });
  let ground: LvmGround;
  let foreign: string;
  /** All that LVM knows of other people's volumes. */
  const listForeign = () =>
    ground.sh(
      "lvs -a --noheadings -o lv_name,lv_uuid,lv_attr,lv_size,lv_tags,origin,seg_pe_ranges -S 'lv_name!~^bb-' vg0",
    );
  beforeAll(async () => {
    const [storage] = lab.current().storage;
    if (storage === undefined) throw new Error("The lab has no storage host.");
    await plantForeign(storage);
    ground = new LvmGround(lab.current());
    foreign = await listForeign();
  });
  afterEach(async () => {
    expect(await ground.lockIsFree()).toBe(true);
    expect(await listForeign()).toBe(foreign);
  });
  afterAll(() => ground?.host.close());

  async function removeAll(...objects: readonly (VolumeRecord | SnapshotRecord)[]): Promise<void> {
    for (const object of objects) {
      if ("volumeId" in object) await ground.backend.deleteSnapshot(object);
      else await ground.backend.delete(object);
    }
    expect(await ground.ours()).toEqual([]);
  }

  it("passes its check, and has the identity that LVM gave it", async () => {
    const { driver } = ground.backend;
    await driver.doSetup();
    await driver.checkForSetupError({ executor: ground.host });
    const { identity } = await ground.backend.list();
    expect(identity).toBe((await ground.sh("vgs --noheadings -o vg_uuid vg0")).trim());
    expect(await driver.establishIdentity({ executor: ground.host })).toBe(identity);
  });

  it("has thin volumes that are whole at once, grow, and keep what snapshots and clones of them saw", async () => {
    const { backend } = ground;
    const volume = await backend.create({ ...thin, labels: { tier: "größer", "": "," } });
    await ground.fill(volume, "before", 4 * mebibyte);
    const snapshot = await backend.snapshot(volume);
    await ground.fill(volume, "after", 4 * mebibyte);
    const restored = await backend.fromSnapshot(snapshot, { sizeBytes: 48 * mebibyte });
    const clone = await backend.clone(volume);
    expect(await ground.text(restored, 7)).toBe("before\n");
    expect(await ground.filledBytes(restored.location)).toBe(4 * mebibyte);
    expect(await ground.text(clone, 6)).toBe("after\n");
    const grown = await backend.extend(volume, 64 * mebibyte);
    expect(await ground.filledBytes(grown.location)).toBe(4 * mebibyte);
    const { volumes, snapshots } = await backend.list();
    expect([...volumes.values()].map(({ id, sizeBytes }) => [id, sizeBytes])).toEqual(
      expect.arrayContaining([
        [volume.id, 64 * mebibyte],
        [restored.id, 48 * mebibyte],
        [clone.id, 32 * mebibyte],
      ]),
    );
    expect(volumes.get(volume.id)).toEqual(grown);
    expect(snapshots.get(snapshot.id)).toEqual(snapshot);
    await removeAll(snapshot, restored, clone, grown);
  });

  it("goes on with a larger copy that was cut off before it had its size", async () => {
    const { backend } = ground;
    const source = await backend.create(thin);
    const copy = { sizeBytes: 48 * mebibyte, id: "3f1c9a52-7d1e-4c3b-9d53-0a4b5c6d7e8f" };
    const cutOff = backend.change(
      (context) =>
        backend.driver.createClonedVolume(
          newVolume({ ...thin, ...copy, source: { kind: "volume", id: source.id } }),
          source,
          context,
        ),
      (executor) => {
        let changes = 0;
        return {
          host: executor.host,
          run: (argv, options) => {
            // The listing and the making of the snapshot come through; what comes after does not.
            if (++changes > 2) throw new Error("killed");
            return executor.run(argv, options);
          },
        };
      },
    );
    await expect(cutOff).rejects.toThrow("killed");
    expect((await backend.list()).volumes.get(copy.id)).toMatchObject({
      phase: "creating",
      sizeBytes: copy.sizeBytes,
    });
    const clone = await backend.clone(source, copy);
    expect(clone).toMatchObject({ phase: "unacknowledged", sizeBytes: copy.sizeBytes });
    await removeAll(clone, source);
  });

  it("copies from thin to thick and back", async () => {
    const { backend } = ground;
    const source = await backend.create(thin);
    await ground.fill(source, "content", 2 * mebibyte);
    const thick = await backend.clone(source, { provisioning: "thick", sizeBytes: 48 * mebibyte });
    expect(thick).toMatchObject({ provisioning: "thick", pool: "vg0", sizeBytes: 48 * mebibyte });
    const back = await backend.clone(thick, { provisioning: "thin" });
    expect(back).toMatchObject({ provisioning: "thin", pool: "pool0" });
    for (const copy of [thick, back]) {
      expect(await ground.text(copy, 8)).toBe("content\n");
      expect(await ground.filledBytes(copy.location)).toBe(2 * mebibyte);
    }
    await removeAll(source, thick, back);
  });

  it("records attachments and acknowledges, with one command each", async () => {
    const { backend } = ground;
    const { driver } = backend;
    const volume = await backend.create({ ...thin, multiattach: true });
    const snapshot = await backend.snapshot(volume);
    const attached = await backend.attach(volume, { connector: { host: "web1", ip: "10.0.0.11" } });
    const [attachment] = attached.attachments;
    let commands = 0;
    await backend.change(
      (context) => driver.acknowledge([volume.id, snapshot.id, attachment?.id ?? "", "unknown"], context),
      (executor) => ({
        host: executor.host,
        run: (argv, options) => {
          commands += 1;
          return executor.run(argv, options);
        },
      }),
    );
    // The listing, the phases, and the volume whose attachment is in its record.
    expect(commands).toBe(3);
    const { volumes, snapshots } = await backend.list();
    expect(volumes.get(volume.id)).toMatchObject({
      phase: "acknowledged",
      attachments: [{ phase: "acknowledged", connector: { host: "web1", ip: "10.0.0.11" } }],
    });
    expect(snapshots.get(snapshot.id)?.phase).toBe("acknowledged");
    await expect(backend.delete(volume)).rejects.toMatchObject({ kind: "VolumeIsBusy" });
    const detached = await backend.change((context) =>
      driver.detachVolume(volume, attachment?.id ?? "", context),
    );
    expect(detached.attachments).toEqual([]);
    await removeAll(snapshot, detached);
  });

  it("does not change or destroy what was changed since it was listed", async () => {
    const { backend } = ground;
    const { driver } = backend;
    const volume = await backend.create(thin);
    const name = lvmName(volume);
    for (const act of [
      (context: LockedContext) => driver.deleteVolume(volume.id, volume.owner, context),
      (context: LockedContext) => driver.updateVolume(volume, { name: "new" }, context),
    ]) {
      await expect(
        backend.change(async (context) => {
          await ground.sh('lvchange -qq --deltag bb.p=u --addtag bb.p=a "$1"', name);
          return act(context);
        }),
      ).rejects.toThrow(/changed by something that does not hold the lock/);
      await ground.sh('lvchange -qq --deltag bb.p=a --addtag bb.p=u "$1"', name);
    }
    await removeAll(volume);
  });

  it("does not destroy what is in use", async () => {
    const { backend } = ground;
    for (const provisioning of ["thin", "thick"] as const) {
      const volume = await backend.create({ ...thin, provisioning });
      const user = await ground.sh('sleep 1000 <"$1" >/dev/null 2>&1 & echo $!', volume.location);
      await expect(backend.delete(volume)).rejects.toMatchObject({
        kind: "VolumeIsBusy",
        reason: expect.stringContaining("in use"),
      });
      await ground.sh('kill "$1"; while kill -0 "$1" 2>/dev/null; do sleep 0.1; done', user.trim());
      await removeAll(volume);
    }
  });

  it("brings volumes back that a reboot left inactive, and takes snapshots of them", async () => {
    const { backend } = ground;
    for (const provisioning of ["thin", "thick"] as const) {
      const volume = await backend.create({ ...thin, provisioning });
      await ground.sh('lvchange -qq -an "$1"', lvmName(volume));
      const snapshot = await backend.snapshot(volume);
      await ground.sh('lvchange -qq -an "$1"', lvmName(provisioning === "thin" ? snapshot : volume));
      await backend.change((context) => backend.driver.activateVolume(volume, context));
      await backend.change((context) => backend.driver.activateVolume(volume, context));
      await ground.sh('[ -b "$1" ]', volume.location);
      await removeAll(snapshot, volume);
    }
  });

  it("leaves the descriptor of its lock to no daemon", async () => {
    const volume = await ground.backend.create(thin);
    const holders = await ground.sh(
      'for fd in /proc/[0-9]*/fd/*; do [ "$fd" -ef "$1" ] && echo "$fd"; done; :',
      ground.backend.driver.lockFile,
    );
    expect(holders).toBe("");
    await removeAll(volume);
  });
});
