import { describe, expect, test } from "vitest";
import type { OperationContext, VolumeRecord } from "../../contract/index.ts";
import { exportablePath, requireAddresses } from "./host.ts";

const context: OperationContext = {
  executor: { host: "nas", run: () => Promise.reject(new Error("no command is needed")) },
};
const printed = `1: lo    inet 127.0.0.1/8 scope host lo
2: eth0    inet 10.0.0.5/24 brd 10.0.0.255 scope global eth0
2: eth0    inet6 fd00::5/64 scope global
`;

describe("requireAddresses", () => {
  test("addresses that the host has are enough", () => {
    requireAddresses(
      context,
      [
        { address: "10.0.0.5", port: 3260 },
        { address: "fd00::5", port: 3260 },
      ],
      printed,
    );
  });

  test("another address is named, with the attribute and with what the host has", () => {
    const portals = [
      { address: "10.0.0.5", port: 3260 },
      { address: "10.0.0.6", port: 3260 },
    ];
    expect(() => requireAddresses(context, portals, printed)).toThrow(
      expect.objectContaining({
        kind: "VolumeBackendError",
        reason: expect.stringMatching(/^10\.0\.0\.6:3260 .*10\.0\.0\.5/),
        attribute: ["portals", 1],
      }),
    );
  });

  test("a host that cannot list its addresses proves nothing", () => {
    requireAddresses(context, [{ address: "10.0.0.6", port: 3260 }], "");
  });
});

describe("exportablePath", () => {
  const at = (location: string) => ({ location }) as VolumeRecord;

  test.each(["/dev/vg0/volume-1", "/srv/my volumes/volume-1.raw"])("%s can be exported", (location) => {
    expect(exportablePath(at(location), "export")).toBe(location);
  });

  test.each([
    "/srv/volume-1.qcow2",
    "/srv/a,b/volume-1.raw",
    "/srv/a\nb.raw",
    "rbd/volume-1",
    "/srv/volume-1 ",
  ])("%j cannot", (location) => {
    expect(() => exportablePath(at(location), "export")).toThrow(
      expect.objectContaining({ kind: "NotSupported" }),
    );
  });
});
