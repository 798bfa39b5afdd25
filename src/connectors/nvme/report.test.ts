import { describe, expect, test } from "vitest";
import { parseNvmeConnections } from "./report.ts";

const id = "0b0e6a2e-9d0f-4f3c-8a54-2f6f1f1d3a01";
const target = `nqn.2025-11.io.breezeblock:${id}`;
const link = `/dev/disk/by-id/nvme-uuid.${id}`;
const record = (multipath: "yes" | "no") => [
  ...["protocol nvmet_tcp", `target ${target}`, `serial ${id}`, `multipath ${multipath}`].map(
    (line) => `record ${id} ${line}`,
  ),
  ...["10.0.0.5:4420", "10.0.1.5:4420"].map((portal) => `record ${id} portal ${portal}`),
  `record ${id} path ${link}`,
];
const first = `controller nvme-subsys0 nvme0 live 10.0.0.5:4420 ${target}`;
const second = `controller nvme-subsys0 nvme1 live 10.0.1.5:4420 ${target}`;
const namespace = `namespace nvme-subsys0 nvme0n1 259:1 2097152 ${id}`;
const path = `path 103:1 ${link}`;
const parse = (...lines: readonly (string | readonly string[])[]) =>
  parseNvmeConnections(`${lines.flat().join("\n")}\n`).get(id);

describe("NVMe connections", () => {
  test("a live controller with the volume's own namespace is whole", () => {
    expect(parse(record("no"), first, namespace, path)).toEqual({
      volumeId: id,
      device: {
        ...{ volumeId: id, path: link, kernelPath: "/dev/nvme0n1", sizeBytes: 1024 ** 3, multipath: false },
        portals: ["10.0.0.5:4420"],
      },
      fault: null,
    });
  });

  test("multipath is whole with all portals, and usable with one", () => {
    expect(parse(record("yes"), first, second, namespace, path)?.fault).toBeNull();
    const degraded = parse(record("yes"), first, second.replace("live", "connecting"), namespace, path);
    expect(degraded?.device).toMatchObject({ portals: ["10.0.0.5:4420"] });
    expect(degraded?.fault).toContain("10.0.1.5:4420");
  });

  test.each([
    ["no controller", [], /there is no controller/],
    ["a controller that is down", [first.replace("live", "connecting"), namespace, path], /connecting/],
    ["no namespace", [first], /shows no namespace/],
    ["another UUID", [first, namespace.replace(/ [^ ]*$/, " other")], /"other"/],
    ["a path to another device", [first, namespace, path.replace("103:1", "103:2")], /does not lead to/],
  ])("%s is a fault, and there is no device", (_, lines, fault) => {
    const found = parse(record("no"), lines);
    expect(found?.device).toBeNull();
    expect(found?.fault).toMatch(fault);
  });
});
