import { describe, expect, test } from "vitest";
import { changedReport, type Report, realReport } from "../../../test/support/lvm/report.ts";
import { checkVolumeGroup } from "./checks.ts";
import { listingOf } from "./listing.ts";
import { parseReport } from "./report.ts";
import { statsOf } from "./stats.ts";
import { helperTags } from "./tags.ts";

const ids = {
  thin: "11111111-1111-4111-8111-111111111111",
  thinSnapshot: "22222222-1111-4111-8111-111111111111",
  thick: "33333333-1111-4111-8111-111111111111",
  overfull: "66666666-1111-4111-8111-111111111111",
} as const;

const list = (change: (report: Report) => void = () => {}) => listingOf(parseReport(changedReport(change)));

function volumeNamed(report: Report, name: string) {
  const volume = report.lv.find(({ lv_name }) => lv_name.endsWith(name));
  if (volume === undefined) throw new Error(`no ${name} in the report`);
  return volume;
}

describe("a listing", () => {
  test("has the volume group's UUID as its identity", () => {
    expect(list().identity).toBe("6lr1Uq-bFbs-MSSb-4TPI-Atqq-fhGF-VmPOBU");
  });

  test("has our volumes and snapshots, and nobody else's", () => {
    const { volumes, snapshots, damaged } = list();
    expect([...volumes.values()].map(({ name }) => name)).toEqual(["db", "logs", "My Disk"]);
    expect([...snapshots.values()].map(({ name }) => name)).toEqual(["before", "nightly", "overfull"]);
    expect(damaged.size).toBe(0);
  });

  test("tells thin from thick, with pool, size and place", () => {
    const { volumes, snapshots } = list();
    expect(volumes.get(ids.thin)).toMatchObject({
      provisioning: "thin",
      pool: "pool",
      sizeBytes: 64 * 1024 ** 2,
      location: `/dev/vg0/bb-${ids.thin}`,
    });
    expect(volumes.get(ids.thick)).toMatchObject({ provisioning: "thick", pool: "vg0" });
    expect(snapshots.get(ids.thinSnapshot)).toMatchObject({ volumeId: ids.thin, sizeBytes: 64 * 1024 ** 2 });
  });

  test("gives a copy-on-write snapshot its volume's size, and says when it is broken", () => {
    const { snapshots } = list();
    expect(snapshots.get(ids.overfull)).toMatchObject({
      sizeBytes: 96 * 1024 ** 2,
      broken: expect.stringContaining("ran out"),
    });
    expect(snapshots.get(ids.thinSnapshot)).not.toHaveProperty("broken");
  });

  test("knows a volume that was renamed on the host", () => {
    const { volumes } = list((report) => {
      volumeNamed(report, ids.thick).lv_name = "renamed";
    });
    expect(volumes.get(ids.thick)).toMatchObject({ name: "logs", location: "/dev/vg0/renamed" });
  });

  test("tells what is taken already for a growth that was not finished", () => {
    const { volumes } = list((report) => {
      const name = `bb-${ids.thick}.extension`;
      const tags = helperTags("extension", "acme/prod").join(",");
      report.lv.push({ ...volumeNamed(report, ids.thick), lv_name: name, lv_size: "8388608", lv_tags: tags });
    });
    expect(volumes.get(ids.thick)?.growthBytes).toBe(8388608);
    expect(volumes.get(ids.thin)?.growthBytes).toBeUndefined();
  });

  test("keeps what it cannot read apart from what is gone", () => {
    const { volumes, damaged } = list((report) => {
      volumeNamed(report, ids.thick).lv_tags = "bb.p=a,bb.0=garbage";
    });
    expect(volumes.has(ids.thick)).toBe(false);
    expect(damaged.get(ids.thick)?.reason).toContain(`vg0/bb-${ids.thick}`);
  });

  test("of what it cannot read and was renamed as well, says that it may be any that is missed", () => {
    const { volumes, damaged, unidentified } = list((report) => {
      Object.assign(volumeNamed(report, ids.thick), { lv_name: "renamed", lv_tags: "bb.p=a" });
    });
    expect([...volumes.values()].map(({ name }) => name)).toEqual(["db", "My Disk"]);
    expect([...damaged.values()]).toMatchObject([
      { kind: "volume", reason: expect.stringContaining("vg0/renamed") },
    ]);
    expect(unidentified).toContain("vg0/renamed was renamed or adopted");
    expect(list().unidentified).toBeUndefined();
  });

  test("reports two logical volumes of the same id as damaged", () => {
    const { volumes, damaged } = list((report) => {
      const original = volumeNamed(report, ids.thick);
      report.lv.push({ ...original, lv_name: "copy" });
    });
    expect(volumes.has(ids.thick)).toBe(false);
    expect(damaged.get(ids.thick)?.reason).toContain("same id");
  });

  test("reports a volume on a missing disk as damaged", () => {
    const { damaged } = list((report) => {
      volumeNamed(report, ids.thick).lv_attr = "-wi-----p-";
    });
    expect(damaged.get(ids.thick)?.reason).toContain("missing");
  });

  test("passes over a volume of ours that lost all its tags", () => {
    const { volumes, damaged } = list((report) => {
      volumeNamed(report, ids.thick).lv_tags = "";
    });
    expect(volumes.has(ids.thick) || damaged.has(ids.thick)).toBe(false);
  });
});

test.each([
  ["", "not JSON"],
  ["[]", "expected form"],
  ['{"report":[]}', "no volume group"],
  ['{"report":[{"vg":[{"vg_name":"v","vg_extent_size":"4m"}]}]}', "vg_extent_size"],
])("of the report %j it is said what is wrong", (text, words) => {
  expect(() => parseReport(Buffer.from(text))).toThrow(words);
});

describe("stats", () => {
  const stats = statsOf(parseReport(realReport), "pool");

  test("have the volume group and the thin pool as pools", () => {
    expect(stats.pools).toEqual([
      expect.objectContaining({
        pool_name: "vg0",
        total_capacity_gb: 11.9921875,
        free_capacity_gb: 4877975552 / 1024 ** 3,
        thick_provisioning_support: true,
        thin_provisioning_support: false,
        total_volumes: 4,
      }),
      expect.objectContaining({
        pool_name: "pool",
        total_capacity_gb: 7,
        free_capacity_gb: 7,
        data_percent: 0,
        metadata_percent: 10.84,
        total_volumes: 2,
      }),
    ]);
  });

  test("count what other people were given", () => {
    const [thick, thin] = stats.pools ?? [];
    expect(thin?.provisioned_capacity_gb).toBe((3 * 64) / 1024);
    expect(thick?.provisioned_capacity_gb).toBe((12876513280 - 4877975552) / 1024 ** 3);
  });

  test("have no thin pool where none is configured", () => {
    expect(statsOf(parseReport(realReport), null)).toMatchObject({
      thin_provisioning_support: false,
      pools: [{ pool_name: "vg0" }],
    });
  });
});

describe("a volume group is refused", () => {
  const check = (change: (report: Report) => unknown, pool: string | null = "pool") => {
    checkVolumeGroup(parseReport(changedReport(change)), pool, "use it");
  };

  test("not at all when all is well", () => {
    check(() => {});
    check(() => {}, null);
  });

  test.each<[string, (report: Report) => unknown, RegExp]>([
    [
      "with a missing disk",
      ({ pv }) => pv.push({ pv_name: "[unknown]", pv_uuid: "abc" }),
      /partial: \[unknown\] \(abc\)/,
    ],
    ["when partial", ({ vg }) => Object.assign(vg, { vg_attr: "wz-pn-" }), /partial/],
    ["when exported", ({ vg }) => Object.assign(vg, { vg_attr: "wzx-n-" }), /vgimport vg0/],
    ["when read-only", ({ vg }) => Object.assign(vg, { vg_attr: "rz--n-" }), /vgchange -p rw vg0/],
    ["when shared", ({ vg }) => Object.assign(vg, { vg_attr: "wz--ns", vg_lock_type: "sanlock" }), /sanlock/],
    [
      "when its pool does not zero",
      (report) => Object.assign(volumeNamed(report, "pool"), { lv_attr: "twi-aot---" }),
      /lvchange --zero y vg0\/pool/,
    ],
    [
      "when its pool has failed",
      (report) => Object.assign(volumeNamed(report, "pool"), { lv_attr: "twi-aotzF-" }),
      /has failed/,
    ],
  ])("%s", (_, change, words) => {
    expect(() => check(change)).toThrow(words);
  });

  test("when its pool is not there, or none", () => {
    expect(() => check(() => {}, "other")).toThrow(/vg0\/other is not there/);
    expect(() => check(() => {}, "theirs-raid")).toThrow(/not a thin pool/);
  });
});
