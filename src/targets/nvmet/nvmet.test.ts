import { describe, expect, test } from "vitest";
import { targets } from "../registry.ts";
import { readExports } from "./listing.ts";
import { byIdName, serialOf } from "./names.ts";
import { checkNvmetSettings, defaultNqnPrefix } from "./settings.ts";

const id = "0b7c5d2e-1f3a-4c6b-9d8e-00a1b2c3d4e5";
const nqn = `${defaultNqnPrefix}:${id}`;
const host = "nqn.2014-08.org.nvmexpress:uuid:356b308d-8fda-4259-8104-da61125cb3a4";
const nvmet = "/sys/kernel/config/nvmet";
const subsystem = `${nvmet}/subsystems/${nqn}`;

/** What the listing prints of a whole export, by what it is about. */
function whole(): Map<string, string[]> {
  const attribute = (file: string, ...lines: string[]) => lines.map((line) => `${file}\0${line}`);
  const port = (number: number, address: string) => [
    `d ${nvmet}/ports/${number}\0`,
    `l ${nvmet}/ports/${number}/subsystems/${nqn}\0../../../../nvmet/subsystems/${nqn}`,
    ...attribute(`${nvmet}/ports/${number}/addr_trtype`, "tcp"),
    ...attribute(`${nvmet}/ports/${number}/addr_traddr`, address),
    ...attribute(`${nvmet}/ports/${number}/addr_trsvcid`, "4420"),
  ];
  return new Map([
    [
      "record",
      attribute(
        `${id}.nvmet`,
        `nqn ${nqn}`,
        "device /srv/volume 1.raw",
        "serial x",
        "mark VkctdXVpZA YWNtZSwgw7wgJiBjbw",
        "portal 10.0.0.5 4420",
        "portal fd00::5 4420",
        `rw ${host}`,
      ),
    ],
    ["device", ["stat 8180 0:0 1073741824 /srv/volume 1.raw"]],
    ["first port", port(1, "0.0.0.0")],
    ["second port", port(32768, "fd00::5")],
    ["host", [`l ${subsystem}/allowed_hosts/${host}\0../../../../nvmet/hosts/${host}`]],
    ["anybody", attribute(`${subsystem}/attr_allow_any_host`, "0")],
    ["enabled", attribute(`${subsystem}/namespaces/1/enable`, "1")],
    ["path", attribute(`${subsystem}/namespaces/1/device_path`, "/srv/volume 1.raw")],
    ["connections", attribute("/proc/net/tcp", "", "0016")],
    ["uuid", attribute(`${subsystem}/namespaces/1/device_uuid`, id)],
  ]);
}

const read = (lines: ReadonlyMap<string, readonly string[]>) =>
  readExports([...lines.values()].flat().join("\n"), ["fd00::5 4420", "10.0.0.5 4420"]);

describe("exports by nvmet", () => {
  test("a whole export", () => {
    expect(read(whole())).toEqual(
      new Map([
        [
          id,
          {
            ...{ volumeId: id, sizeBytes: 2 ** 30, fault: null, granted: new Map([[host, "rw"]]) },
            ...{ connected: new Set(), mark: { identity: "VG-uuid", owner: "acme, \u00fc & co" } },
          },
        ],
      ]),
    );
  });

  test.each([
    ["device", "/srv/volume 1.raw is missing"],
    ["enabled", "its namespace is missing"],
    ["path", "another device than /srv/volume 1.raw"],
    ["uuid", "another UUID"],
    ["anybody", "any host has access"],
    ["first port", "portal 10.0.0.5 port 4420 is missing"],
  ])("without its %s: %s", (what, fault) => {
    const lines = whole();
    lines.delete(what);
    expect(read(lines).get(id)?.fault).toContain(fault);
  });

  test("while somebody has a connection to one of its ports, nobody knows who is connected", () => {
    const lines = whole();
    lines.set("connections", ["/proc/net/tcp\0", "/proc/net/tcp\x000016", "/proc/net/tcp\x001144"]);
    expect(read(lines).get(id)?.connected).toBeNull();
    lines.delete("connections");
    expect(read(lines).get(id)?.connected).toBeNull();
    lines.delete("host");
    expect(read(lines).get(id)?.connected).toEqual(new Set());
  });

  test("other portals than it was made with are a fault", () => {
    const state = readExports([...whole().values()].flat().join("\n"), ["10.0.0.6 4420"]).get(id);
    expect(state?.fault).toBe("exported at 10.0.0.5 port 4420, fd00::5 port 4420");
  });

  test("who may still be connected after losing access is a fault", () => {
    const lines = whole();
    lines.set("record", [...(lines.get("record") ?? []), `${id}.nvmet\0revoked nqn.2014-08.org.example:old`]);
    expect(read(lines).get(id)?.fault).toContain("nqn.2014-08.org.example:old may still be connected");
  });
});

describe("settings and names of an NVMe target", () => {
  test.each([
    "nqn.2026-01",
    "nqn.2026-01.org.example:",
    "iqn.2026-01.org.example",
    "nqn.2026-01.org.example:a b",
  ])("%j is no prefix", (nqnPrefix) => {
    expect(() => checkNvmetSettings({ portals: ["10.0.0.5"], nqnPrefix })).toThrow(
      expect.objectContaining({ kind: "InvalidConfiguration", attribute: ["nqn_prefix"] }),
    );
  });

  test.each([undefined, "", "web1", "nqn.2014-08.org.example:a/b", "nqn.2014-08.org.example:*"])(
    "CON-1: %j is no host",
    (name) => {
      expect(() => targets.nvmet({ portals: ["10.0.0.5"] }).validateConnector({ nqn: name })).toThrow(
        expect.objectContaining({ kind: "InvalidConnector", attribute: ["connector", "nqn"] }),
      );
    },
  );

  test("CON-1: what nvme-cli makes for a host is a name", () => {
    const target = targets.nvmet({ portals: ["10.0.0.5"] });
    target.validateConnector({ nqn: host });
    expect(target.initiatorOf({ nqn: host })).toBe(host);
  });

  test("devices have the name that udev gives them", () => {
    expect(byIdName(id)).toBe(`nvme-uuid.${id}`);
    expect(serialOf(id)).toBe("0b7c5d2e1f3a4c6b9d8e");
  });
});
