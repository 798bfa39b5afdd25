import { describe, expect, test } from "vitest";
import { newSnapshot, newVolume } from "../../../test/support/file-backend.ts";
import { changedReport, type Report, realReport } from "../../../test/support/lvm/report.ts";
import type { CommandResult, Executor, LockedContext } from "../../contract/index.ts";
import { createLvmDriver, type LvmDriverSettings } from "./driver.ts";

const ids = {
  thin: "11111111-1111-4111-8111-111111111111",
  thick: "33333333-1111-4111-8111-111111111111",
  overfull: "66666666-1111-4111-8111-111111111111",
} as const;
const newUuid = "LVM-6lr1UqbFbsMSSb4TPIAtqqfhGFVmPOBUvNgyup0151oQxGWmQ0qw8ieybJ3WVvkL";
const mebibyte = 1024 ** 2;

/** A host that shows a report, and says to every change what `answer` makes of it. */
class ReportingHost implements Executor {
  readonly host = "here";
  /** The arguments of every change. */
  readonly changes: (readonly string[])[] = [];
  readonly #report: Buffer;
  readonly #answer: Partial<CommandResult>;

  constructor(report: Buffer = realReport, answer: Partial<CommandResult> = {}) {
    this.#report = report;
    this.#answer = answer;
  }

  async run(argv: readonly (string | Uint8Array)[]): Promise<CommandResult> {
    const nothing = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), exitCode: 0 };
    if (argv.includes("fullreport")) return { ...nothing, stdout: this.#report };
    this.changes.push(argv.slice(4).map(String));
    return { ...nothing, stdout: Buffer.from(`${newUuid}\n`), ...this.#answer };
  }
}

function driverWith(settings: Partial<LvmDriverSettings> = {}) {
  return createLvmDriver({
    ...{ backend: "fast", volumeGroup: "vg0", thinPool: "pool", volumeClear: "zero" },
    ...settings,
  });
}

async function locked(host: ReportingHost, driver = driverWith()): Promise<LockedContext> {
  return { executor: host, fresh: await driver.inventory({ executor: host }) };
}

const changed = (change: (report: Report) => unknown) => new ReportingHost(changedReport(change));

function volumeNamed({ lv }: Report, name: string) {
  const volume = lv.find(({ lv_name }) => lv_name === name);
  if (volume === undefined) throw new Error(`no ${name} in the report`);
  return volume;
}

test.each<[Partial<LvmDriverSettings>, string]>([
  [{ volumeGroup: "" }, "volume_group"],
  [{ volumeGroup: "no such/name" }, "volume_group"],
  [{ volumeGroup: "-x" }, "volume_group"],
  [{ thinPool: ".." }, "thin_pool"],
  [{ volumeClearMiBPerSecond: 0 }, "volume_clear_mib_per_second"],
  [{ snapshotSizePercent: -1 }, "snapshot_size_percent"],
])("the settings %j are refused", async (settings, attribute) => {
  await expect(driverWith(settings).doSetup()).rejects.toMatchObject({
    kind: "InvalidConfiguration",
    attribute: ["backends", "fast", "lvm", attribute],
  });
});

test("a volume group without a thin pool has thick volumes only", () => {
  expect(driverWith({ thinPool: null }).features.provisioning).toEqual(["thick"]);
  expect(driverWith().features.provisioning).toEqual(["thin", "thick"]);
});

describe("a new volume", () => {
  test("is made with all that is known of it, in one command", async () => {
    const host = new ReportingHost();
    const work = await driverWith().createVolume(newVolume({ name: "web" }), await locked(host));
    expect(work).toMatchObject({ state: "ready", record: { name: "web", phase: "unacknowledged" } });
    expect(host.changes).toHaveLength(1);
    expect(host.changes[0]).toEqual(expect.arrayContaining(["--addtag", "bb.n=web", "bb.p=u", "vg0"]));
  });

  test("has the size that its extents give it", async () => {
    const host = new ReportingHost();
    const asked = newVolume({ sizeBytes: 5 * mebibyte + 1 });
    const work = await driverWith().createVolume(asked, await locked(host));
    expect(work).toMatchObject({ record: { sizeBytes: 8 * mebibyte } });
  });

  test("is cleared before it is anybody's when it is thick", async () => {
    const host = new ReportingHost();
    const driver = driverWith();
    const asked = newVolume({ provisioning: "thick" });
    const work = await driver.createVolume(asked, await locked(host));
    if (work.state !== "working") throw new Error("no job");
    expect(host.changes[0]).toContain("bb.p=c");
    expect(work.job.argv).toEqual(expect.arrayContaining([`/dev/vg0/bb-${asked.id}`, newUuid]));
    expect(driver.jobsOf(asked.id).map(({ id }) => id)).toContain(work.job.id);
  });

  test.each<[string, (report: Report) => unknown, string]>([
    ["the metadata area is full", ({ vg }) => Object.assign(vg, { vg_mda_free: "16999" }), "pvcreate"],
    [
      "the thin pool's data is nearly full",
      (report) => Object.assign(volumeNamed(report, "pool"), { data_percent: "95.01" }),
      "lvextend -L",
    ],
    [
      "the thin pool's metadata is nearly full",
      (report) => Object.assign(volumeNamed(report, "pool"), { metadata_percent: "90.00" }),
      "lvextend --poolmetadatasize",
    ],
    [
      "the thin pool has failed",
      (report) => Object.assign(volumeNamed(report, "pool"), { lv_attr: "twi-aotzF-" }),
      "lvmthin",
    ],
  ])("is refused when %s", async (_, change, help) => {
    const host = changed(change);
    const creation = driverWith().createVolume(newVolume(), await locked(host));
    await expect(creation).rejects.toMatchObject({
      kind: "VolumeBackendError",
      nextStep: expect.stringContaining(help),
    });
    expect(host.changes).toEqual([]);
  });

  test("is cleared whatever it says of its own deletion, and not where the backend's free space is clean", async () => {
    const asked = newVolume({ provisioning: "thick", settings: { volume_clear: "none" } });
    const cleared = await driverWith().createVolume(asked, await locked(new ReportingHost()));
    expect(cleared.state).toBe("working");
    const driver = driverWith({ volumeClear: "none" });
    const clean = await driver.createVolume(asked, await locked(new ReportingHost(), driver));
    expect(clean.state).toBe("ready");
  });

  test.each([
    [{ pool: "elsewhere" }, "InvalidInput"],
    [{ pool: "vg0" }, "InvalidInput"],
    [{ pool: "pool", provisioning: "thick" as const }, "InvalidInput"],
    [{ id: "../../etc" }, "InvalidInput"],
    [{ sizeBytes: 0 }, "InvalidInput"],
    [{ id: ids.thin }, "AlreadyExists"],
    [{ id: ids.thin, owner: "somebody" }, "NotOwned"],
  ])("is refused as %j", async (more, kind) => {
    const host = new ReportingHost();
    const creation = driverWith().createVolume(newVolume(more), await locked(host));
    await expect(creation).rejects.toMatchObject({ kind });
    expect(host.changes).toEqual([]);
  });
});

describe("what stands is left alone", () => {
  test.each<[string, (context: LockedContext) => Promise<unknown>, string]>([
    [
      "another owner's volume",
      (context) => driverWith().deleteVolume(ids.thin, "somebody", context),
      "NotOwned",
    ],
    [
      "a volume that is attached",
      (context) => driverWith().deleteVolume(ids.thin, "acme/prod", context),
      "VolumeIsBusy",
    ],
    [
      "a volume with snapshots",
      (context) => driverWith().deleteVolume(ids.thick, "acme/prod", context),
      "VolumeIsBusy",
    ],
    [
      "a thick volume with snapshots, when it is to grow",
      async (context) => {
        const volume = context.fresh.volumes.get(ids.thick);
        if (volume !== undefined) await driverWith().extendVolume(volume, 64 * mebibyte, context);
      },
      "VolumeIsBusy",
    ],
    [
      "a volume that would shrink",
      async (context) => {
        const volume = context.fresh.volumes.get(ids.thin);
        if (volume !== undefined) await driverWith().extendVolume(volume, mebibyte, context);
      },
      "InvalidInput",
    ],
    [
      "a snapshot that is broken",
      async (context) => {
        const snapshot = context.fresh.snapshots.get(ids.overfull);
        const asked = newVolume({ sizeBytes: 96 * mebibyte });
        if (snapshot !== undefined) await driverWith().createVolumeFromSnapshot(asked, snapshot, context);
      },
      "VolumeBackendError",
    ],
  ])("%s", async (_, act, kind) => {
    const host = new ReportingHost();
    await expect(act(await locked(host))).rejects.toMatchObject({ kind });
    expect(host.changes).toEqual([]);
  });

  test("everything, once the volume group is another one", async () => {
    const driver = driverWith();
    const { fresh } = await locked(new ReportingHost());
    const host = changed(({ vg }) => Object.assign(vg, { vg_uuid: "other" }));
    const creation = driver.createVolume(newVolume(), { executor: host, fresh });
    await expect(creation).rejects.toMatchObject({ kind: "BackendIdentityMismatch" });
    expect(host.changes).toEqual([]);
  });
});

test("the refusal to grow a thick volume names its snapshots as their user does", async () => {
  const host = new ReportingHost();
  const context = await locked(host);
  const volume = context.fresh.volumes.get(ids.thick);
  const snapshots = [...context.fresh.snapshots.values()].filter(({ volumeId }) => volumeId === ids.thick);
  if (volume === undefined || snapshots.length === 0) throw new Error("not listed");
  const growing = driverWith().extendVolume(volume, 64 * mebibyte, context);
  for (const { id, name } of snapshots) {
    await expect(growing).rejects.toMatchObject({ reason: expect.stringContaining(`"${name}" (${id})`) });
  }
});

test("what is gone already is deleted", async () => {
  const host = new ReportingHost();
  const context = await locked(host);
  const work = await driverWith().deleteVolume("44444444-2222-4111-8111-111111111111", "acme/prod", context);
  expect(work).toEqual({ state: "ready", record: null });
  expect(host.changes).toEqual([]);
});

test("a change names the logical volume by its UUID and by its tags", async () => {
  const host = new ReportingHost();
  const context = await locked(host);
  const volume = context.fresh.volumes.get(ids.thick);
  if (volume === undefined) throw new Error("not listed");
  await driverWith().updateVolume(volume, { name: "journal" }, context);
  const [name, selection, ...changes] = host.changes[0] ?? [];
  expect(name).toBe(`vg0/bb-${ids.thick}`);
  expect(selection).toContain('lv_uuid="1AnFGQ-BCO8-uZSX-7U1Z-VhmE-HlR1-VHbr6F"');
  expect(selection).toContain('"bb.n=logs"');
  expect(changes).toEqual(["--deltag", "bb.n=logs", "--addtag", "bb.n=journal"]);
});

test("a snapshot of a thick volume has space of its own, by the volume's size and by what is set", async () => {
  const percentages = { sizes: [undefined, 50, undefined], own: [undefined, undefined, 300] };
  const extents: (string | undefined)[] = [];
  for (const [index, snapshotSizePercent] of percentages.sizes.entries()) {
    const host = changed((report) => {
      volumeNamed(report, `bb-${ids.thick}`).lv_size = String(1000 * mebibyte);
    });
    const driver = driverWith({ snapshotSizePercent });
    const context = await locked(host, driver);
    const volume = context.fresh.volumes.get(ids.thick);
    if (volume === undefined) throw new Error("not listed");
    const own = percentages.own[index];
    const settings = own === undefined ? {} : { snapshot_size_percent: own };
    await driver.createSnapshot(newSnapshot(volume, { settings }), volume, context);
    extents.push(host.changes[0]?.[(host.changes[0]?.indexOf("-l") ?? 0) + 1]);
  }
  expect(extents).toEqual(["50", "125", "750"]);
});

test.each([
  [12, "something has its device open", "VolumeIsBusy"],
  [13, "copy-on-write snapshots", "VolumeIsBusy"],
  [11, "changed by something", "VolumeBackendError"],
  [5, '  WARNING: never mind\n  Volume group "vg0" not found\n', "VolumeBackendError"],
])("exit code %i is understood", async (exitCode, words, kind) => {
  const host = new ReportingHost(realReport, { exitCode, stderr: Buffer.from(words) });
  const context = await locked(host);
  const creation = driverWith().createVolume(newVolume(), context);
  await expect(creation).rejects.toMatchObject({
    kind,
    reason: expect.not.stringContaining("WARNING"),
    host: "here",
  });
});

describe("the setup check", () => {
  test("gives the run its first listing", async () => {
    const driver = driverWith();
    const executor = new ReportingHost();
    const seen = await driver.checkForSetupError({ executor });
    const { volumes, snapshots } = await driver.inventory({ executor });
    expect(seen).toMatchObject({ volumes, snapshots });
  });

  test.each(["twi-aotzD-", "twi-aotzM-"])(
    "passes with a full thin pool (%s), from which things have to be deleted; only creation is refused",
    async (lv_attr) => {
      const host = changed((report) => Object.assign(volumeNamed(report, "pool"), { lv_attr }));
      await driverWith().checkForSetupError({ executor: host });
      await expect(driverWith().createVolume(newVolume(), await locked(host))).rejects.toMatchObject({
        nextStep: expect.stringContaining("lvextend"),
      });
    },
  );

  test("fails with a thin pool that needs repair", async () => {
    const host = changed((report) => Object.assign(volumeNamed(report, "pool"), { lv_attr: "twi-aotzF-" }));
    await expect(driverWith().checkForSetupError({ executor: host })).rejects.toThrow("failed");
  });
});

test("a thin volume with somebody's copy-on-write snapshot is thin, and neither grown nor deleted below it", async () => {
  const host = changed((report) => {
    const volume = volumeNamed(report, `bb-${ids.thin}`);
    volume.lv_attr = volume.lv_attr.replace(/^V/, "o");
    report.lv.push({
      ...volumeNamed(report, `bb-${ids.thick}`),
      ...{ lv_name: "backup", lv_uuid: "b", lv_attr: "swi-a-s---", lv_tags: "", origin: `bb-${ids.thin}` },
    });
  });
  const context = await locked(host);
  const volume = context.fresh.volumes.get(ids.thin);
  if (volume === undefined) throw new Error("no volume");
  expect(volume).toMatchObject({ provisioning: "thin", pool: "pool" });
  const busy = { kind: "VolumeIsBusy", reason: expect.stringContaining("vg0/backup") };
  const driver = driverWith();
  await expect(driver.extendVolume(volume, 2 * volume.sizeBytes, context)).rejects.toMatchObject(busy);
  await expect(driver.deleteVolume(ids.thin, volume.owner, context)).rejects.toMatchObject({
    kind: "VolumeIsBusy",
  });
  expect(host.changes).toEqual([]);
});
