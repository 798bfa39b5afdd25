import { describe, expect, test } from "vitest";
import { newVolume } from "../../../test/support/file-backend.ts";
import { changedReport, type Report, type ReportedVolume } from "../../../test/support/lvm/report.ts";
import {
  type CommandResult,
  type LockedContext,
  type ManageableVolume,
  type ManagesExisting,
  managesExisting,
} from "../../contract/index.ts";
import { createLvmDriver } from "./driver.ts";
import { adoptedTag, isOurs } from "./tags.ts";

const created = createLvmDriver({
  backend: "fast",
  volumeGroup: "vg0",
  thinPool: "pool",
  volumeClear: "zero",
});
if (!managesExisting(created)) throw new Error("the driver does not manage existing volumes");
const driver: typeof created & ManagesExisting = created;

type Columns = Partial<ReportedVolume>;

/** The real report, with a linear logical volume `old` of theirs that has these columns. */
function withOld(columns: Columns = {}, more: (report: Report) => void = () => undefined): Buffer {
  return changedReport((report) => {
    const [like] = report.lv.filter(({ lv_name }) => lv_name === "theirs-origin");
    if (like === undefined) throw new Error("the report has changed");
    report.lv.push({
      ...like,
      lv_name: "old",
      lv_uuid: "oooooo-oooo-oooo-oooo-oooo-oooo-oooooo",
      lv_attr: "-wi-a-----",
      lv_size: String(5 * 2 ** 22),
      lv_tags: "backup,their.tag=1",
      lv_layout: "linear",
      lv_time: "1700000000",
      ...columns,
    });
    more(report);
  });
}

interface HostState {
  report: Buffer;
  users: string;
}

/** A host whose volume group is as the report says; scripts that change something are noted. */
function hostOf(state: HostState) {
  const changes: (readonly string[])[] = [];
  const run = async (argv: readonly unknown[]): Promise<CommandResult> => {
    const words = argv.map(String);
    if (words.includes("fullreport")) return result(state.report);
    if (words[2]?.includes("/proc/self/mountinfo") === true) return result(Buffer.from(state.users));
    changes.push(words.slice(4));
    return result(Buffer.alloc(0));
  };
  const executor = { host: "san1", run } as unknown as LockedContext["executor"];
  const locked = async () => ({ executor, fresh: await driver.inventory({ executor }) }) as LockedContext;
  return { executor, locked, changes };
}

function result(stdout: Buffer): CommandResult {
  return { exitCode: 0, stdout, stderr: Buffer.alloc(0) } as CommandResult;
}

async function listed(report: Buffer, users = ""): Promise<ReadonlyMap<string, ManageableVolume>> {
  const { volumes } = await driver.listManageableVolumes({ executor: hostOf({ report, users }).executor });
  return new Map(volumes.map((volume) => [volume.reference, volume]));
}

async function old(columns: Columns = {}, users = ""): Promise<ManageableVolume> {
  const found = [...(await listed(withOld(columns), users)).values()].find(
    ({ reference }) => reference === `vg0/${columns.lv_name ?? "old"}`,
  );
  if (found === undefined) throw new Error("it is not listed");
  return found;
}

const asked = ({ id, sizeBytes, provisioning, createdAt }: ManageableVolume) =>
  newVolume({ id, sizeBytes, provisioning, createdAt, name: "old" });

describe("other people's logical volumes", () => {
  test("are listed, with what stands against managing them", async () => {
    const reasons = [...(await listed(withOld())).values()].map(({ reference, reason_not_safe }) => [
      reference,
      reason_not_safe,
    ]);
    expect(Object.fromEntries(reasons)).toEqual({
      "vg0/old": null,
      "vg0/pool": "is a thin pool",
      "vg0/theirs-cached": expect.stringContaining("is cached"),
      "vg0/theirs-cow": "is a copy-on-write snapshot of vg0/theirs-origin",
      "vg0/theirs-origin": "has the snapshots vg0/theirs-cow",
      "vg0/theirs-raid": expect.stringContaining("is a RAID"),
      "vg0/theirs-thin": null,
    });
  });

  test("are told with size, kind, place and age", async () => {
    expect(await old()).toMatchObject({
      sizeBytes: 5 * 2 ** 22,
      provisioning: "thick",
      pool: "vg0",
      location: "/dev/vg0/old",
      createdAt: "2023-11-14T22:13:20.000Z",
    });
    expect((await listed(withOld())).get("vg0/theirs-thin")).toMatchObject({
      provisioning: "thin",
      pool: "pool",
      createdAt: "1970-01-01T00:00:00.000Z",
    });
  });

  test("keep their id under another name, and share it with nobody", async () => {
    const { id } = await old();
    expect((await old({ lv_name: "renamed" })).id).toBe(id);
    expect((await old({ lv_uuid: "pppppp-oooo-oooo-oooo-oooo-oooo-oooooo" })).id).not.toBe(id);
  });

  test.each<[string, Columns]>([
    ["OpenStack Cinder", { lv_name: "volume-6f3c1f0e-7a55-4c0b-9f4e-2f7a0c1d9b11" }],
    ["Proxmox VE names", { lv_name: "vm-100-disk-0" }],
    ["Proxmox VE names", { lv_name: "snap_vm-100-disk-0_before" }],
    [
      "is a thin snapshot of vg0/theirs-thin",
      { lv_attr: "Vwi---tz-k", pool_lv: "pool", origin: "theirs-thin", lv_layout: "thin,sparse" },
    ],
    ["whose tags were removed", { lv_name: "bb-6f3c1f0e-7a55-4c0b-9f4e-2f7a0c1d9b11" }],
    ["tag of Ceph's: ceph.osd_id=1", { lv_tags: "ceph.osd_id=1" }],
    ["read-only", { lv_attr: "-ri-a-----" }],
    ["suspended", { lv_attr: "-wi-s-----" }],
    ["missing", { lv_attr: "-wi-a---p-" }],
    ["is striped", { lv_layout: "striped" }],
    ["the backend uses pool", { lv_attr: "Vwi-a-tz--", pool_lv: "other", lv_layout: "thin,sparse" }],
    ["something has its device open", { lv_attr: "-wi-ao----" }],
  ])("are not safe to manage: %s", async (reason, columns) => {
    const found = await old(columns);
    expect(found.reason_not_safe).toContain(reason);
    expect(found.safe_to_manage).toBe(false);
  });

  test("name who uses them", async () => {
    const users = "vg0/old\tis mounted at /srv/data\nvg0/old\tis used by the device dm-7\n";
    expect((await old({ lv_attr: "-wi-ao----" }, users)).reason_not_safe).toBe(
      "is mounted at /srv/data and is used by the device dm-7",
    );
  });
});

describe("managing a logical volume", () => {
  /** The same report with the tags that the change wrote. */
  const tagged = (change: readonly string[], columns: Columns = {}): Buffer => {
    const added = change.filter((_, index) => change[index - 1] === "--addtag");
    return withOld({ lv_tags: ["backup", "their.tag=1", ...added].join(","), ...columns });
  };

  async function managed(columns: Columns = {}) {
    const found = await old();
    const before = hostOf({ report: withOld(), users: "" });
    const record = await driver.manageExisting(asked(found), "vg0/old", await before.locked());
    const [change = []] = before.changes;
    return { found, record, change, ...hostOf({ report: tagged(change, columns), users: "" }) };
  }

  test("writes tags and nothing else, on what is still the same and open nowhere", async () => {
    const { found, record, change } = await managed();
    expect(change.slice(0, 2)).toEqual([
      "vg0/old",
      `lv_uuid="oooooo-oooo-oooo-oooo-oooo-oooo-oooooo" && lv_attr=~"^[-V]....-"`,
    ]);
    const options = change.slice(2);
    expect(options.filter((_, index) => index % 2 === 0).every((option) => option === "--addtag")).toBe(true);
    expect(options.filter((_, index) => index % 2 === 1).every(isOurs)).toBe(true);
    expect(options).toContain(adoptedTag);
    expect(record).toMatchObject({
      id: found.id,
      name: "old",
      phase: "acknowledged",
      formatted: true,
      adoptedFrom: "vg0/old",
      location: "/dev/vg0/old",
      ownPath: "/dev/disk/by-id/dm-uuid-LVM-6lr1UqbFbsMSSb4TPIAtqqfhGFVmPOBUoooooooooooooooooooooooooooooooo",
      sizeBytes: 5 * 2 ** 22,
    });
  });

  test("the listing knows it by its tags, whatever it is called", async () => {
    const { locked, record } = await managed();
    expect((await locked()).fresh.volumes.get(record.id)).toEqual(record);
    const renamed = await managed({ lv_name: "renamed" });
    expect((await renamed.locked()).fresh.volumes.get(record.id)).toMatchObject({
      location: "/dev/vg0/renamed",
    });
  });

  test("again, by the same owner, changes nothing; by another one it is refused", async () => {
    const { found, locked, changes, record } = await managed();
    expect(await driver.manageExisting(asked(found), "vg0/old", await locked())).toEqual(record);
    const theirs = { ...asked(found), owner: "acme/other" };
    await expect(driver.manageExisting(theirs, "vg0/old", await locked())).rejects.toMatchObject({
      kind: "NotOwned",
    });
    expect(changes).toEqual([]);
  });

  test("damage of its tags stays its own", async () => {
    const { found } = await managed();
    const { locked } = hostOf({ report: withOld({ lv_tags: `backup,${adoptedTag},bb.p=a` }), users: "" });
    const { fresh } = await locked();
    expect(fresh.damaged.get(found.id)?.reason).toContain("vg0/old");
  });

  test("is refused where it is not what was found", async () => {
    const found = await old();
    for (const [columns, kind] of [
      [{ lv_size: String(6 * 2 ** 22) }, "VolumeBackendError"],
      [{ lv_attr: "-wi-ao----" }, "VolumeIsBusy"],
      [{ lv_uuid: "pppppp-oooo-oooo-oooo-oooo-oooo-oooooo" }, "VolumeNotFound"],
      [{ lv_name: "renamed" }, "VolumeNotFound"],
    ] as const) {
      const host = hostOf({ report: withOld(columns), users: "" });
      await expect(driver.manageExisting(asked(found), "vg0/old", await host.locked())).rejects.toMatchObject(
        { kind },
      );
      expect(host.changes).toEqual([]);
    }
  });

  test("giving back takes our tags off, and leaves theirs", async () => {
    const { record, locked, changes } = await managed();
    await driver.unmanage(record, await locked());
    const [change = []] = changes;
    const removed = change.filter((_, index) => change[index - 1] === "--deltag");
    expect(removed.length).toBeGreaterThan(3);
    expect(removed.every(isOurs)).toBe(true);
    expect(change).not.toContain("--addtag");
  });
});
