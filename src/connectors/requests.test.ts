import { describe, expect, test } from "vitest";
import type { DeviceRequest, JsonValue } from "../contract/index.ts";
import { adoptedId, devicePathByUuid } from "../drivers/lvm/names.ts";
import { connectors } from "./index.ts";
import { ConnectionReader } from "./requests.ts";

const id = "0b0e6a2e-9d0f-4f3c-8a54-2f6f1f1d3a01";
const request = (data: Record<string, JsonValue>, more: Partial<DeviceRequest> = {}): DeviceRequest => ({
  volumeId: id,
  connection: { driver_volume_type: "iSCSI", data },
  credentials: null,
  multipath: false,
  sizeBytes: 1024 ** 3,
  ...more,
});
const refused = expect.objectContaining({ kind: "InvalidInput" });

describe("connection data", () => {
  test("every connector is known by its protocol", () => {
    for (const [name, create] of Object.entries(connectors)) expect(create().protocol).toBe(name);
  });

  test("names and portals are taken as targets give them", () => {
    const reader = new ConnectionReader(
      request({
        ...{ target_iqn: `iqn.2025-11.io.breezeblock:${id}`, target_lun: 0 },
        ...{ target_portals: ["10.0.0.5:3260", "[fd00::5]:3260"], by_id: "/dev/disk/by-id/scsi-3600" },
      }),
      "iSCSI",
    );
    expect(reader.word("target_iqn")).toBe(`iqn.2025-11.io.breezeblock:${id}`);
    expect(reader.number("target_lun")).toBe(0);
    expect(reader.portals()).toEqual(["10.0.0.5:3260", "[fd00::5]:3260"]);
    expect(reader.linkName()).toBe("scsi-3600");
    expect(reader.credentials()).toBe("\n\n");
  });

  test.each(["", "-x", "a b", "../x", "a/b", "$(x)", "a\nb", 7, null])("%j is no name", (value) => {
    const reader = new ConnectionReader(request({ name: value, by_id: value }), "iSCSI");
    expect(() => reader.word("name")).toThrow(refused);
    expect(() => reader.linkName()).toThrow(refused);
  });

  test.each([[[]], [["10.0.0.5"]], [["10.0.0.5:3260 x"]], ["10.0.0.5:3260"], [undefined]])(
    "%j are no portals",
    (target_portals) => {
      const data = target_portals === undefined ? {} : { target_portals };
      expect(() => new ConnectionReader(request(data), "iSCSI").portals()).toThrow(refused);
    },
  );

  test("credentials that would break a record are refused, without telling them", () => {
    const credentials = { username: "u", password: "two\nlines" };
    const reader = new ConnectionReader(request({}, { credentials }), "iSCSI");
    expect(() => reader.credentials()).toThrow(refused);
    expect(() => reader.credentials()).not.toThrow(/lines/);
  });

  test("another protocol's connection, and what is no volume id, are refused", () => {
    expect(() => new ConnectionReader(request({}), "nvmet_tcp")).toThrow(refused);
    expect(() => new ConnectionReader(request({}, { volumeId: "../x" }), "iSCSI")).toThrow(refused);
  });

  test("a local path names the volume: by its id, or by the UUIDs that an adopted one's id is made of", () => {
    const uuids = [
      "6lr1Uq-bFbs-MSSb-4TPI-Atqq-fhGF-VmPOBU",
      "oooooo-oooo-oooo-oooo-oooo-oooo-oooooo",
    ] as const;
    const adopted = adoptedId(...uuids);
    const path = devicePathByUuid(...uuids);
    const read = (volumeId: string, device_path: string) =>
      new ConnectionReader(
        request({}, { volumeId, connection: { driver_volume_type: "local", data: { device_path } } }),
        "local",
      ).localPath("device_path");
    expect(read(id, `/srv/volume-${id}.raw`)).toBe(`/srv/volume-${id}.raw`);
    expect(read(adopted, path)).toBe(path);
    for (const wrong of ["/dev/vg0/old", path.replace("ooo", "ppp"), `${path}x`, `/tmp${path}`]) {
      expect(() => read(adopted, wrong)).toThrow(refused);
    }
    expect(() => read(id, path)).toThrow(refused);
  });
});
