import { describe, expect, test } from "vitest";
import { FileBackend, newVolume } from "../../../test/support/file-backend.ts";
import { fillsVolumes } from "../../contract/index.ts";
import { parseSpace } from "./listing.ts";
import { formatSidecar, type VolumeFields } from "./sidecar.ts";

const gib = 1024 ** 3;
const id = "11111111-1111-4111-8111-111111111111";
const other = "22222222-2222-4222-8222-222222222222";

const sidecar = (more: Partial<VolumeFields>) =>
  formatSidecar({
    kind: "volume",
    fields: {
      id,
      name: "db",
      owner: "acme",
      phase: "creating",
      format: "raw",
      createdSizeBytes: 3 * gib,
      labels: {},
      defaultLabels: {},
      deletionProtection: false,
      settings: {},
      createdAt: "2026-01-01T00:00:00.000Z",
      provisioning: "thin",
      multiattach: false,
      source: null,
      formatted: false,
      attachments: [],
      ...more,
    },
    unknown: {},
  });

/** Of a file system of 100 GiB with 10 GiB in use. A name stands with its apparent size and what it takes, in GiB. */
function space(lines: readonly string[], names: readonly (readonly [string, number, number])[]) {
  const printed = [
    `space ${gib} 100 90 90`,
    ...lines,
    ...names.map(([path, size, taken]) => `2 f 7 ${size * gib} ${(taken * gib) / 512} ${path}`),
    "headers\n",
  ];
  return parseSpace(Buffer.from(printed.join("\n")));
}

describe("the space of a directory", () => {
  const whole = [`./volume-${other}.raw`, 20, 4] as const;

  test("counts what volumes could grow to, and what others take", () => {
    expect(space([], [whole])).toEqual({ totalGib: 100, freeGib: 90, provisionedGib: 26, volumes: 1 });
  });

  test("counts what is being made with the size that it will have, before and while its data is written", () => {
    const line = `./volume-${id}.json:${sidecar({})}`;
    expect(space([line], [whole])).toMatchObject({ provisionedGib: 29, volumes: 2 });
    const half = [`./.breezeblock/creating/volume-${id}.raw`.slice(2), 2, 2] as const;
    expect(space([line], [whole, half])).toMatchObject({ provisionedGib: 27, volumes: 2 });
  });

  test("counts what has become whole meanwhile once", () => {
    const line = `./volume-${id}.json:${sidecar({})}`;
    expect(space([line], [whole, [`./volume-${id}.raw`, 3, 1]])).toMatchObject({
      provisionedGib: 28,
      volumes: 2,
    });
  });

  test("counts no more of anything else that looks like it", () => {
    const labels = { phase: "creating" };
    const lines = [
      `./volume-${id}.json:${sidecar({ phase: "acknowledged", labels })}`,
      `./volume-${id}.json:{}`,
    ];
    expect(space(lines.slice(0, 1), [whole])).toMatchObject({ provisionedGib: 26, volumes: 1 });
    expect(space(lines.slice(1), [whole])).toMatchObject({ provisionedGib: 26, volumes: 1 });
  });

  test("a volume that somebody else fills is promised its room", async () => {
    const backend = await FileBackend.open();
    const { driver, executor } = backend;
    if (!fillsVolumes(driver)) throw new Error("files can be filled");
    const measure = async () => (await driver.getVolumeStats({ executor })).provisioned_capacity_gb ?? 0;
    const before = await measure();
    const asked = newVolume({ sizeBytes: 4000 * gib });
    await backend.change((context) => driver.reserveVolume(asked, context));
    expect((await measure()) - before).toBeGreaterThan(3900);
    await backend.change((context) => driver.completeVolume(asked.id, context));
    expect((await measure()) - before).toBeLessThan(4100);
  });
});
