import { describe, expect, test } from "vitest";
import { parseConnections } from "./report.ts";

const id = "0b0e6a2e-9d0f-4f3c-8a54-2f6f1f1d3a01";
const target = `iqn.2025-11.io.breezeblock:${id}`;
const link = "/dev/disk/by-id/scsi-3600";
const record = (multipath: "yes" | "no", path = link) => [
  ...["protocol iSCSI", `target ${target}`, "lun 0", `serial ${id}`, `multipath ${multipath}`].map(
    (line) => `record ${id} ${line}`,
  ),
  ...["10.0.0.5:3260", "[fd00::5]:3260"].map((portal) => `record ${id} portal ${portal}`),
  `record ${id} path ${path}`,
];
const first = [`session 1 LOGGED_IN 10.0.0.5:3260 ${target}`, `disk 1 sda 8:0 2097152 0 running ${id}`];
const second = [`session 2 LOGGED_IN [fd00::5]:3260 ${target}`, `disk 2 sdb 8:16 2097152 0 running ${id}`];
const maps = ["map sda dm-3 253:3 2097152 mpath-3600", "map sdb dm-3 253:3 2097152 mpath-3600"];
const parse = (...lines: readonly (string | readonly string[])[]) =>
  parseConnections(`${lines.flat().join("\n")}\n`).get(id);

describe("iSCSI connections", () => {
  test("a session with the volume's own disk, and its stable path, is whole", () => {
    expect(parse(record("no"), first, `path 8:0 ${link}`)).toEqual({
      volumeId: id,
      device: {
        ...{ volumeId: id, path: link, kernelPath: "/dev/sda", sizeBytes: 1024 ** 3, multipath: false },
        portals: ["10.0.0.5:3260"],
      },
      fault: null,
    });
  });

  test("multipath is whole with all portals, and usable with one", () => {
    const whole = parse(record("yes"), first, second, maps, `path fd:3 ${link}`);
    expect(whole?.fault).toBeNull();
    expect(whole?.device).toMatchObject({ kernelPath: "/dev/dm-3", multipath: true });
    const down = second.map((line) => line.replace("LOGGED_IN", "FAILED"));
    const degraded = parse(record("yes"), first, down, maps, `path fd:3 ${link}`);
    expect(degraded?.device).toMatchObject({ portals: ["10.0.0.5:3260"] });
    expect(degraded?.fault).toContain("[fd00::5]:3260");
  });

  test.each([
    ["no session", [], /there is no session/],
    ["a session that is down", [first[0]?.replace("LOGGED_IN", "FAILED") ?? ""], /FAILED/],
    ["no disk", [first[0] ?? ""], /shows no device/],
    ["another serial number", [first[0] ?? "", `disk 1 sda 8:0 2097152 0 running other`], /"other"/],
    ["a path to another device", [...first, `path 8:10 ${link}`], /does not lead to/],
    ["a path to nothing", first, /does not lead to/],
  ])("%s is a fault, and there is no device", (_, lines, fault) => {
    const found = parse(record("no"), lines);
    expect(found?.device).toBeNull();
    expect(found?.fault).toMatch(fault);
  });

  test("what has no record, or one of another protocol, is not ours", () => {
    expect(parse(first, `path 8:0 ${link}`)).toBeUndefined();
    expect(parse(record("no").map((line) => line.replace("iSCSI", "nvmet_tcp")))).toBeUndefined();
  });
});
