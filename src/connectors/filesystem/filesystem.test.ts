import { describe, expect, test } from "vitest";
import type { ConsumerDevice, FilesystemRequest } from "../../contract/index.ts";
import { escapeField, fstabLine, unescapeField } from "./fstab.ts";
import { parseMounts } from "./report.ts";
import { checkRequest } from "./requests.ts";

const id = "0b0e6a2e-9d0f-4f3c-8a54-2f6f1f1d3a01";
const request: FilesystemRequest = {
  ...{ type: "ext4", mountPoint: "/srv/some data", mountOptions: ["noatime"], mkfsOptions: [], label: null },
  ...{ owner: null, mode: null, access: "rw" },
};
const device: ConsumerDevice = {
  ...{ volumeId: id, path: "/dev/disk/by-id/scsi-3600", kernelPath: "/dev/sda", sizeBytes: 1024 ** 3 },
  ...{ portals: [], multipath: false },
};

describe("fstab", () => {
  test("a line mounts by the stable path, never by the file system's own UUID", () => {
    expect(fstabLine(device.path, id, request)).toBe(
      `/dev/disk/by-id/scsi-3600 /srv/some\\040data ext4 noatime,rw,_netdev,nofail,x-systemd.device-timeout=600,x-breezeblock.volume=${id} 0 0`,
    );
    expect(fstabLine(device.path, id, { ...request, access: "ro" })).toContain(" noatime,ro,_netdev");
    expect(
      fstabLine(device.path, id, { ...request, mountOptions: ["x-systemd.device-timeout=5"] }),
    ).not.toContain("=600");
  });

  test("clones of an xfs share its UUID, and are mounted beside it", () => {
    expect(fstabLine(device.path, id, { ...request, type: "xfs" })).toContain(",nouuid,");
    expect(fstabLine(device.path, id, request)).not.toContain("nouuid");
  });

  test.each(["/srv/a b", "/srv/tab\there", "/srv/back\\slash", "/srv/\\040", "/srv/#1", "/srv/größe"])(
    "%j comes back as it was",
    (text) => {
      expect(escapeField(text)).not.toMatch(/[\s#]/);
      expect(unescapeField(escapeField(text))).toBe(text);
    },
  );
});

test("mounts and lines of fstab are joined by volume and mount point", () => {
  const other = id.replace(/1$/, "2");
  const text = [
    `line ${id} /srv/some\\040data ext4 noatime,rw,_netdev,x-breezeblock.volume=${id}`,
    `line ${other} /srv/b xfs ro,_netdev,x-breezeblock.volume=${other}`,
    `mount ${id} /srv/some\\040data ext4 ro`,
    `mount ${id} /srv/elsewhere ext4 rw`,
    "size 4096 1000 /srv/some data",
    "size 4096 1000 /srv/elsewhere",
    "answers /srv/some data",
    `errors ${id} 3 /srv/some\\040data`,
  ].join("\n");
  const state = { volumeId: id, type: "ext4", isMounted: true, errors: 0, sizeBytes: 4_096_000 };
  expect(parseMounts(text)).toEqual(
    new Map([
      [
        id,
        [
          { ...state, mountPoint: "/srv/some data", access: "ro", isInFstab: true, answers: true, errors: 3 },
          { ...state, mountPoint: "/srv/elsewhere", access: "rw", isInFstab: false, answers: false },
        ],
      ],
      [
        other,
        [
          {
            ...{ volumeId: other, mountPoint: "/srv/b", type: "xfs", access: "ro", isMounted: false },
            ...{ isInFstab: true, answers: false, errors: 0, sizeBytes: null },
          },
        ],
      ],
    ]),
  );
});

describe("what is refused without asking the consumer", () => {
  const check = (more: Partial<FilesystemRequest>) => () =>
    checkRequest(device, { ...request, ...more }, "mount it");

  test("what people write is taken", () => {
    check({
      owner: "postgres:postgres",
      mode: "0750",
      label: "db",
      mountOptions: ["discard", "commit=30"],
    })();
    check({ mountPoint: "/var/lib/größe (1)/x.d" })();
  });

  test.each([
    ["mount_point", { mountPoint: "srv" }],
    ["mount_point", { mountPoint: "/" }],
    ["mount_point", { mountPoint: "/srv/../etc" }],
    ["mount_point", { mountPoint: "/srv/" }],
    ["mount_point", { mountPoint: "/srv/a\nb" }],
    ["mount_options", { mountOptions: ["a,b"] }],
    ["mount_options", { mountOptions: ["a b"] }],
    ["mkfs_options", { mkfsOptions: [""] }],
    ["label", { label: "far too long a label" }],
    ["owner", { owner: "-R" }],
    ["mode", { mode: "u+x" }],
  ] as const)("%s: %j", (name, more) => {
    expect(check(more)).toThrow(
      expect.objectContaining({ kind: "InvalidInput", attribute: ["filesystem", name] }),
    );
  });

  test("a file is no block device", () => {
    const file = { ...device, kernelPath: "/srv/volumes/volume-1.raw" };
    expect(() => checkRequest(file, request, "mount it")).toThrow(
      expect.objectContaining({ kind: "NotSupported" }),
    );
  });
});
