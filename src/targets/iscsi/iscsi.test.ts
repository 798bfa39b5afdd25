import { describe, expect, test } from "vitest";
import { targets } from "../registry.ts";
import { readExports } from "./listing.ts";
import { byIdName } from "./names.ts";
import { checkIscsiSettings, defaultIqnPrefix } from "./settings.ts";

const id = "0b7c5d2e-1f3a-4c6b-9d8e-00a1b2c3d4e5";
const iqn = `${defaultIqnPrefix}:${id}`;
const initiator = "iqn.2004-10.org.example:web1";
const lio = "/sys/kernel/config/target";
const tpg = `${lio}/iscsi/${iqn}/tpgt_1`;
const store = `${lio}/core/iblock_192699694/breezeblock-${id}`;

/** What the listing prints of a whole export, by what it is about. */
function whole(): Map<string, string[]> {
  const attribute = (file: string, ...lines: string[]) => lines.map((line) => `${file}\0${line}`);
  const entry = (path: string, target?: string) => [
    `${target === undefined ? "d" : "l"} ${path}\0${target ?? ""}`,
  ];
  return new Map([
    [
      "record",
      attribute(
        `${id}.iscsi`,
        `iqn ${iqn}`,
        "iblock /dev/vg0/volume 1",
        "index 192699694",
        "auth chap",
        "mark VkctdXVpZA YWNtZSwgw7wgJiBjbw",
        "portal 10.0.0.5:3260",
        "portal [fd00::5]:3260",
        `rw ${initiator}`,
      ),
    ],
    ["device", ["stat 61b0 fd:4 0 /dev/vg0/volume 1"]],
    ["first portal", entry(`${tpg}/np/10.0.0.5:3260`)],
    ["second portal", entry(`${tpg}/np/[::0]:3260`)],
    ["lun", entry(`${tpg}/lun/lun_0/port`, store)],
    ["acl", entry(`${tpg}/acls/${initiator}`)],
    ["mapping", entry(`${tpg}/acls/${initiator}/lun_0/lun`, `${tpg}/lun/lun_0`)],
    ["session", attribute(`${tpg}/acls/${initiator}/info`, `InitiatorName: ${initiator}`, "SID: 1")],
    ["mode", attribute(`${tpg}/acls/${initiator}/lun_0/write_protect`, "0")],
    ["enabled", attribute(`${tpg}/enable`, "1")],
    ["authentication", attribute(`${tpg}/attrib/authentication`, "1")],
    ["anybody", attribute(`${tpg}/attrib/generate_node_acls`, "0")],
    ["store enabled", attribute(`${store}/enable`, "1")],
    [
      "info",
      attribute(
        `${store}/info`,
        "Status: ACTIVATED  Max Queue Depth: 0  SectorSize: 512  HwMaxSectors: 8",
        "        iBlock device: dm-4  UDEV PATH: /dev/vg0/volume 1  readonly: 0",
        "        Major: 253 Minor: 4  CLAIMED: IBLOCK",
      ),
    ],
    ["serial", attribute(`${store}/wwn/vpd_unit_serial`, `T10 VPD Unit Serial Number: ${id}`)],
    ["size", attribute("/sys/dev/block/253:4/size", "2097152")],
  ]);
}

const read = (lines: ReadonlyMap<string, readonly string[]>) =>
  readExports([...lines.values()].flat().join("\n"), wanted);
const wanted = { auth: "chap", portals: ["[fd00::5]:3260", "10.0.0.5:3260"] };

describe("exports by LIO", () => {
  test("a whole export", () => {
    expect(read(whole())).toEqual(
      new Map([
        [
          id,
          {
            ...{ volumeId: id, sizeBytes: 2 ** 30, fault: null, granted: new Map([[initiator, "rw"]]) },
            ...{ connected: new Set([initiator]), mark: { identity: "VG-uuid", owner: "acme, \u00fc & co" } },
          },
        ],
      ]),
    );
  });

  test.each([
    ["device", "/dev/vg0/volume 1 is missing"],
    ["store enabled", "the backstore is missing"],
    ["serial", "another serial number"],
    ["info", "the backstore has another device than /dev/vg0/volume 1"],
    ["enabled", `the target ${iqn} is missing`],
    ["lun", "LUN 0 is missing"],
    ["first portal", null],
    ["second portal", "portal [fd00::5]:3260 is missing"],
    ["authentication", "CHAP is not required"],
    ["anybody", "any initiator has access"],
  ])("without its %s: %s", (what, fault) => {
    const lines = whole();
    lines.delete(what);
    const state = read(lines).get(id);
    if (fault === null) expect(state?.fault).toBeNull();
    else expect(state?.fault).toContain(fault);
  });

  test.each([
    [{ ...wanted, auth: "none" }, "exported with CHAP"],
    [{ ...wanted, portals: ["10.0.0.6:3260"] }, "exported at 10.0.0.5:3260, [fd00::5]:3260"],
  ])("other settings than it was made with, %j, are a fault", (settings, fault) => {
    const state = readExports([...whole().values()].flat().join("\n"), settings).get(id);
    expect(state?.fault).toBe(fault);
  });

  test("access that is half there is none; access that nobody recorded is a fault", () => {
    const lines = whole();
    lines.delete("mapping");
    expect(read(lines).get(id)).toMatchObject({ granted: new Map(), fault: null });
    const unrecorded = whole();
    unrecorded.set("record", (unrecorded.get("record") ?? []).slice(0, -1));
    expect(read(unrecorded).get(id)?.fault).toContain(initiator);
  });

  test("who has access, but no session, is not connected; without a word from the kernel nobody knows", () => {
    const lines = whole();
    const none = "No active iSCSI Session for Initiator Endpoint: web1";
    lines.set("session", [`${tpg}/acls/${initiator}/info\0${none}`]);
    expect(read(lines).get(id)?.connected).toEqual(new Set());
    lines.delete("session");
    expect(read(lines).get(id)?.connected).toBeNull();
  });

  test("other people's targets, of whatever names, are no exports", () => {
    const lines = whole();
    lines.delete("record");
    lines.set("odd", ["d /sys/kernel/config/target/iscsi/iqn.x: y\0", "garbage", "", "stat", "\0\0"]);
    expect(read(lines)).toEqual(new Map());
  });
});

describe("settings of an iSCSI target", () => {
  test("CHAP is required unless turned off", () => {
    expect(checkIscsiSettings({ portals: ["10.0.0.5"] }).auth).toBe("chap");
    expect(checkIscsiSettings({ portals: ["10.0.0.5"], chap: "none" }).auth).toBe("none");
  });

  test.each(["iqn.2026-01.org.example", "iqn.2026-01.org.example:storage.rack-1"])(
    "%s is a prefix",
    (iqnPrefix) => {
      expect(checkIscsiSettings({ portals: ["10.0.0.5"], iqnPrefix }).iqnPrefix).toBe(iqnPrefix);
    },
  );

  test.each([
    "iqn.2026-01.example",
    "iqn.2026-13.org.example",
    "iqn.2026-01.org.example:",
    "iqn.2026-01.org.Example",
    "iqn.2026-01.org.example:a b",
    `iqn.2026-01.org.example:${"a".repeat(170)}`,
    "nqn.2026-01.org.example",
    "",
  ])("%j is none", (iqnPrefix) => {
    expect(() => checkIscsiSettings({ portals: ["10.0.0.5"], iqnPrefix })).toThrow(
      expect.objectContaining({ kind: "InvalidConfiguration", attribute: ["iqn_prefix"] }),
    );
  });
});

describe("initiators", () => {
  const target = targets.iscsi({ portals: ["10.0.0.5"] });

  test("are known by their names in lower case", () => {
    expect(target.initiatorOf({ initiator: "IQN.2004-10.org.Example:Web1" })).toBe(initiator);
  });

  test.each([
    initiator,
    "iqn.1993-08.org.debian:01:9d3e",
    "iqn.1991-05.com.microsoft:web_1.example.org",
    "eui.02004567a425678d",
    "naa.52004567ba64678d",
  ])("CON-1: %s is a name", (name) => {
    target.validateConnector({ initiator: name });
  });

  test.each([undefined, "", "web1", "iqn.2004-10.org.example:a/b", "iqn.2004-10.org.example:*", "eui.1"])(
    "CON-1: %j is none",
    (name) => {
      expect(() => target.validateConnector({ host: "web1", initiator: name })).toThrow(
        expect.objectContaining({ kind: "InvalidConnector", attribute: ["connector", "initiator"] }),
      );
    },
  );

  test("devices have the name that udev gives them", () => {
    expect(byIdName(id)).toBe("wwn-0x60014050b7c5d2e1f3a4c6b9d8e00a1b");
  });
});
