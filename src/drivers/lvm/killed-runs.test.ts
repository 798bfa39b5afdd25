import { describe, expect, test } from "vitest";
import { changedReport, type Report, type ReportedVolume } from "../../../test/support/lvm/report.ts";
import {
  type CommandResult,
  type LockedContext,
  type NewVolume,
  revertsToSnapshot,
} from "../../contract/index.ts";
import { createLvmDriver } from "./driver.ts";
import { newVolumeMetadata } from "./metadata.ts";
import { formatTags, helperTags, type Metadata, parseTags } from "./tags.ts";

/** What a run finds that comes after one that was killed. */

const id = "aaaaaaaa-1111-4111-8111-111111111111";
const thick = "33333333-1111-4111-8111-111111111111";
const extentBytes = 4_194_304;
const deviceUuid = `LVM-${"6lr1UqbFbsMSSb4TPIAtqqfhGFVmPOBU"}${"n".repeat(32)}`;

const driver = createLvmDriver({
  backend: "fast",
  volumeGroup: "vg0",
  thinPool: "pool",
  volumeClear: "zero",
});

const asked = (changes: Partial<NewVolume> = {}): NewVolume => ({
  id,
  name: "new",
  owner: "acme/prod",
  sizeBytes: 25 * extentBytes,
  pool: null,
  provisioning: "thick",
  multiattach: false,
  source: null,
  labels: {},
  defaultLabels: {},
  deletionProtection: false,
  settings: {},
  createdAt: "2026-11-24T00:00:00.000Z",
  ...changes,
});

function reported(report: Report, name: string): ReportedVolume {
  const found = report.lv.find(({ lv_name }) => lv_name === name);
  if (found === undefined) throw new Error(`no ${name} in the report`);
  return found;
}

function plant(report: Report, name: string, columns: Partial<ReportedVolume>): void {
  report.lv.push({
    ...reported(report, `bb-${thick}`),
    ...columns,
    lv_name: name,
    lv_uuid: "pppppp-pppp-pppp-pppp-pppp-pppp-pppppp",
  });
}

const joined = (tags: readonly string[]): string => tags.join(",");
const unfinished = (volume: NewVolume): string =>
  joined(formatTags({ ...newVolumeMetadata(volume, "creating"), unknown: [] } as Metadata));

/** A host whose volume group is as `change` makes it; scripts that change something are noted. */
async function host(change: (report: Report) => void) {
  const scripts: (readonly string[])[] = [];
  const run = async (argv: readonly unknown[]): Promise<CommandResult> => {
    const words = argv.map(String);
    if (words.includes("fullreport")) return result(changedReport(change));
    scripts.push(words.slice(4));
    return result(Buffer.from(`${deviceUuid}\n`));
  };
  const executor = { host: "san1", run } as unknown as LockedContext["executor"];
  const fresh = await driver.inventory({ executor });
  const locked = { executor, fresh } as LockedContext;
  return { locked, fresh, scripts };
}

function result(stdout: Buffer): CommandResult {
  return { exitCode: 0, stdout, stderr: Buffer.alloc(0) } as CommandResult;
}

describe("after a killed run", () => {
  test("a thick volume that may still be being cleared is cleared to its end, also where none is asked for now", async () => {
    const { locked } = await host((report) =>
      plant(report, `bb-${id}`, { lv_size: String(25 * extentBytes), lv_tags: unfinished(asked()) }),
    );
    const work = await driver.createVolume(asked({ settings: { volume_clear: "none" } }), locked);
    expect(work).toMatchObject({ state: "working", job: { id: `clear-${id}` } });
  });

  test.each([false, true])(
    "a volume that is being made stays so when the run that goes on enters itself (filled by others: %s)",
    async (isFilled) => {
      const begun = { ...newVolumeMetadata(asked(), "creating"), isFilled, unknown: [] } as Metadata;
      const { locked, fresh, scripts } = await host((report) =>
        plant(report, `bb-${id}`, {
          lv_size: String(25 * extentBytes),
          lv_tags: joined(formatTags(begun)),
        }),
      );
      const record = fresh.volumes.get(id);
      if (record === undefined) throw new Error("no volume in the report");
      const entered = await driver.updateVolume(record, { settings: { run: "f00d" } }, locked);
      expect(entered).toMatchObject({ phase: "creating", settings: { run: "f00d" } });
      const [change = []] = scripts;
      const tags = change.filter((_, index) => change[index - 1] === "--addtag");
      const written = parseTags([...formatTags(begun).filter((tag) => !change.includes(tag)), ...tags]);
      expect(written).toEqual({ ...begun, settings: { run: "f00d" } });
    },
  );

  test("a thin copy whose frozen source is gone is begun anew, not written over what was copied before", async () => {
    const source = { kind: "volume", id: thick } as const;
    const copy = asked({ source, provisioning: "thin", sizeBytes: 128 * extentBytes });
    const { locked, fresh, scripts } = await host((report) =>
      plant(report, `bb-${id}`, {
        lv_attr: "Vwi-a-tz--",
        lv_size: String(128 * extentBytes),
        lv_tags: unfinished(copy),
        pool_lv: "pool",
      }),
    );
    const origin = fresh.volumes.get(thick);
    if (origin === undefined) throw new Error("no source in the report");
    const work = await driver.createClonedVolume(copy, origin, locked);
    expect(work).toMatchObject({ state: "working", job: { id: `copy-${id}` } });
    const [removed, made, frozen] = scripts;
    expect(removed?.[0]).toBe(`vg0/bb-${id}`);
    expect(made).toContain("--thinpool");
    expect(frozen).toContain(`bb-${id}.source`);
  });

  test("space that was being cleared for a volume goes where growing it needs no clearing any more", async () => {
    const { locked, fresh, scripts } = await host((report) => {
      const volume = reported(report, `bb-${thick}`);
      plant(report, `bb-${thick}.extension`, {
        lv_size: String(extentBytes),
        lv_tags: joined(helperTags("extension", "acme/prod")),
      });
      volume.lv_attr = "-wi-a-----";
      for (const other of report.lv) if (other["origin"] === volume.lv_name) other["origin"] = "";
    });
    const record = fresh.volumes.get(thick);
    if (record === undefined) throw new Error("no volume in the report");
    const careless = createLvmDriver({
      backend: "fast",
      volumeGroup: "vg0",
      thinPool: "pool",
      volumeClear: "none",
    });
    expect(record.growthBytes).toBe(extentBytes);
    const grown = await careless.extendVolume(record, record.sizeBytes + extentBytes, locked);
    expect(grown).toMatchObject({ state: "ready", record: { id: thick } });
    expect("record" in grown && grown.record?.growthBytes).toBeUndefined();
    expect(scripts.map(([name]) => name)).toEqual([`vg0/bb-${thick}.extension`, `vg0/bb-${thick}`]);
  });
});

describe("after a run that was killed while it put a volume back to a snapshot", () => {
  const thin = "11111111-1111-4111-8111-111111111111";
  const thinSnapshot = "22222222-1111-4111-8111-111111111111";
  const thickSnapshot = "44444444-1111-4111-8111-111111111111";
  const mark = "55555555-1111-4111-8111-111111111111";
  if (!revertsToSnapshot(driver)) throw new Error("the driver does not put volumes back");

  /** Changes what a volume in the report has on record. */
  function marked(report: Report, volumeId: string, changes: object): ReportedVolume {
    const volume = reported(report, `bb-${volumeId}`);
    const metadata = parseTags(volume.lv_tags.split(","));
    volume.lv_tags = joined(formatTags({ ...metadata, ...changes } as Metadata));
    return volume;
  }

  async function volumeAndSnapshot(
    found: Awaited<ReturnType<typeof host>>,
    volumeId: string,
    snapshotId: string,
  ) {
    const volume = found.fresh.volumes.get(volumeId);
    const snapshot = found.fresh.snapshots.get(snapshotId);
    if (volume === undefined || snapshot === undefined) throw new Error("not in the listing");
    return { volume, snapshot };
  }

  test("a thin volume and what replaces it are one volume, and the old one goes", async () => {
    const found = await host((report) => {
      const old = marked(report, thin, { restoring: thinSnapshot, restoringMark: mark });
      plant(report, `bb-${thin}.restored`, { ...old });
    });
    expect(found.fresh.damaged.size).toBe(0);
    const { volume, snapshot } = await volumeAndSnapshot(found, thin, thinSnapshot);
    expect(volume).toMatchObject({ restoring: thinSnapshot, location: `/dev/vg0/bb-${thin}.restored` });
    const work = await driver.revertToSnapshot(
      volume,
      snapshot,
      { mark, settings: { done: true } },
      found.locked,
    );
    expect(found.scripts.map(([name]) => name)).toEqual([
      `vg0/bb-${thin}`,
      `vg0/bb-${thin}.restored`,
      `vg0/bb-${thin}`,
    ]);
    expect(work).toMatchObject({
      state: "ready",
      record: { settings: { done: true }, location: `/dev/vg0/bb-${thin}` },
    });
    expect(work).not.toHaveProperty("record.restoring");
  });

  test("a thin volume that is as it was is left alone when it is given up, one that is replaced by half is not", async () => {
    const before = await host((report) =>
      marked(report, thin, { restoring: thinSnapshot, restoringMark: mark }),
    );
    const { volume } = await volumeAndSnapshot(before, thin, thinSnapshot);
    expect(await driver.abandonRevert(volume, before.locked)).not.toHaveProperty("restoring");
    const between = await host((report) => {
      plant(report, `bb-${thin}.restored`, {
        ...marked(report, thin, { restoring: thinSnapshot, restoringMark: mark }),
      });
    });
    const half = (await volumeAndSnapshot(between, thin, thinSnapshot)).volume;
    expect(await driver.abandonRevert(half, between.locked)).toHaveProperty("restoring", thinSnapshot);
    expect(between.scripts).toEqual([]);
  });

  test("a volume whose snapshot is gone is left as it is where it was not used up, and only there", async () => {
    const gone = (report: Report, snapshotId: string) =>
      report.lv.splice(report.lv.indexOf(reported(report, `bb-${snapshotId}`)), 1);
    const whole = await host((report) => {
      marked(report, thin, { restoring: thinSnapshot, restoringMark: mark });
      gone(report, thinSnapshot);
    });
    const volume = whole.fresh.volumes.get(thin);
    if (volume === undefined) throw new Error("not in the listing");
    expect(await driver.abandonRevert(volume, whole.locked)).not.toHaveProperty("restoring");
    const used = await host((report) => {
      const snapshot = reported(report, `bb-${thickSnapshot}`);
      const usedSnapshot = { uuid: snapshot["lv_uuid"] ?? "", tags: snapshot.lv_tags.split(",") };
      marked(report, thick, { restoring: thickSnapshot, restoringMark: mark, usedSnapshot });
      gone(report, thickSnapshot);
    });
    const merged = (await volumeAndSnapshot(used, thick, thickSnapshot)).volume;
    expect(await driver.abandonRevert(merged, used.locked)).toHaveProperty("restoring", thickSnapshot);
  });

  test("a snapshot that is merged into its thick volume is there for everybody, and is made again", async () => {
    let uuid = "";
    const found = await host((report) => {
      const snapshot = reported(report, `bb-${thickSnapshot}`);
      uuid = snapshot["lv_uuid"] ?? "";
      const tags = snapshot.lv_tags.split(",");
      const volume = marked(report, thick, {
        restoring: thickSnapshot,
        restoringMark: mark,
        usedSnapshot: { uuid, tags },
      });
      volume.lv_attr = "Owi-a-s---";
      report.lv.splice(report.lv.indexOf(snapshot), 1);
    });
    const { volume, snapshot } = await volumeAndSnapshot(found, thick, thickSnapshot);
    expect(snapshot).toMatchObject({ volumeId: thick, sizeBytes: volume.sizeBytes });
    const begun = await driver.revertToSnapshot(volume, snapshot, { mark, settings: {} }, found.locked);
    if (begun.state !== "working") throw new Error("no job");
    expect(begun.job.id).toBe(`merge-${thick}`);
    expect(begun.job.argv.at(-2)).toContain(uuid.replaceAll("-", ""));
    expect(found.scripts).toEqual([]);
    const ended = await driver.completeRevert(
      volume,
      snapshot,
      { mark, settings: { done: true } },
      found.locked,
    );
    expect(ended).toMatchObject({ state: "ready", record: { settings: { done: true } } });
    expect(found.scripts[0]).toContain(`bb-${thickSnapshot}`);
    expect(found.scripts[0]).toContain("-s");
    expect(found.scripts[1]?.[0]).toBe(`vg0/bb-${thick}`);
  });

  test("a run that others have overtaken does not end what it began", async () => {
    const found = await host((report) =>
      marked(report, thick, { restoring: thickSnapshot, restoringMark: id, usedSnapshot: undefined }),
    );
    const { volume, snapshot } = await volumeAndSnapshot(found, thick, thickSnapshot);
    await expect(
      driver.completeRevert(volume, snapshot, { mark, settings: {} }, found.locked),
    ).rejects.toMatchObject({ kind: "VolumeIsBusy" });
    expect(found.scripts).toEqual([]);
  });

  test("a merge with another snapshot that nobody knows the space of is refused, also when it is gone on with", async () => {
    const found = await host((report) => {
      const merged = reported(report, `bb-${thickSnapshot}`);
      const used = { uuid: merged["lv_uuid"] ?? "", tags: merged.lv_tags.split(",") };
      marked(report, thick, { restoring: thickSnapshot, restoringMark: mark, usedSnapshot: used });
      report.lv.push({
        ...merged,
        lv_name: "nightly",
        lv_uuid: "qqqqqq-qqqq-qqqq-qqqq-qqqq-qqqq-qqqqqq",
        lv_tags: "",
        data_percent: "",
      });
    });
    const { volume, snapshot } = await volumeAndSnapshot(found, thick, thickSnapshot);
    await expect(
      driver.revertToSnapshot(volume, snapshot, { mark, settings: {} }, found.locked),
    ).rejects.toMatchObject({
      kind: "VolumeIsBusy",
      nextStep: expect.stringContaining("lvchange -ay -K vg0/nightly"),
    });
    expect(found.scripts).toEqual([]);
  });

  test("a merge that would fill another snapshot is refused before anything changes", async () => {
    const found = await host((report) => {
      const merged = reported(report, `bb-${thickSnapshot}`);
      merged.data_percent = "60.00";
      report.lv.push({
        ...merged,
        lv_name: "nightly",
        lv_uuid: "qqqqqq-qqqq-qqqq-qqqq-qqqq-qqqq-qqqqqq",
        lv_tags: "",
        data_percent: "50.00",
      });
    });
    const { volume, snapshot } = await volumeAndSnapshot(found, thick, thickSnapshot);
    await expect(
      driver.revertToSnapshot(volume, snapshot, { mark, settings: {} }, found.locked),
    ).rejects.toMatchObject({
      kind: "VolumeIsBusy",
      reason: expect.stringContaining("vg0/nightly"),
    });
    expect(found.scripts).toEqual([]);
  });

  test("a thick volume is not put back where free space must hold nobody's data", () => {
    const clean = createLvmDriver({
      ...{ backend: "fast", volumeGroup: "vg0", thinPool: "pool" },
      volumeClear: "none",
    });
    if (!revertsToSnapshot(clean)) throw new Error("the driver does not put volumes back");
    const named = { name: "db", id: thick } as Parameters<typeof clean.checkRevert>[0];
    expect(() => clean.checkRevert({ ...named, provisioning: "thick" })).toThrow("volume_clear is none");
    expect(() => clean.checkRevert({ ...named, provisioning: "thin" })).not.toThrow();
  });
});
