import { describe, expect, test } from "vitest";
import { localBackend } from "../../test/support/backend.ts";
import { StorageError, type VolumeStats } from "../contract/index.ts";
import type { Backend } from "./backend.ts";
import { anyPlace } from "./candidates.ts";
import { type PlannedCreation, PlannedSpace } from "./planned-space.ts";

const gib = 1024 ** 3;

/** A backend of which only the stats are asked: so much room, thin or thick. */
function fake(name: string, room: number, more: Partial<VolumeStats> = {}): Backend {
  const { backend } = localBackend();
  const stats = {
    total_capacity_gb: room,
    free_capacity_gb: room,
    provisioned_capacity_gb: 0,
    max_over_subscription_ratio: 1,
    thin_provisioning_support: true,
    thick_provisioning_support: true,
    total_volumes: 0,
    ...more,
  };
  return Object.assign(Object.create(backend) as Backend, {
    settings: { ...backend.settings, name },
    checkIdentity: async () => undefined,
    stats: async () => stats,
  });
}

function creation(name: string, sizeGib: number, backends: readonly Backend[]): PlannedCreation {
  return {
    key: `create ${name}`,
    isShared: false,
    demand: {
      ...anyPlace,
      action: `create volume "${name}"`,
      sizeBytes: sizeGib * gib,
      provisioning: null,
      multiattach: false,
    },
    pins: backends.map((backend) => ({ backend, pool: null })),
  };
}

const record = (id: string, sizeGib: number) => ({
  id,
  name: id,
  pool: "",
  provisioning: "thin" as const,
  sizeBytes: sizeGib * gib,
});

describe("the space that a run's plans leave", () => {
  test("is never promised twice, by plans that run side by side either", async () => {
    const backends = [fake("a", 10), fake("b", 10)];
    const space = new PlannedSpace();
    const results = await Promise.allSettled(
      Array.from({ length: 9 }, (_, index) => space.create(creation(`v${index}`, 3, backends))),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(6);
    const after = await space.candidates(backends);
    expect(after.map(({ stats }) => stats.provisioned_capacity_gb)).toEqual([9, 9]);
  });

  test("does not depend on the order of asking", async () => {
    const [a, b] = [fake("a", 10), fake("b", 8)];
    const space = new PlannedSpace();
    // It would go to the larger of the two, which then has no room for the one that must go there.
    await space.create(creation("anywhere", 8, [a, b]));
    await space.create(creation("there", 10, [a]));
    expect(space.take("create anywhere")?.backend).toBe("b");
    expect(space.take("create anywhere")).toBeUndefined();
  });

  test("counts what is planned twice once", async () => {
    const a = fake("a", 10);
    const space = new PlannedSpace();
    for (let times = 0; times < 3; times += 1) {
      await space.create(creation("db", 4, [a]));
      await space.grow({ backend: a, pool: null }, record("there", 2), 6 * gib);
    }
    const [after] = await space.candidates([a]);
    expect(after?.stats.provisioned_capacity_gb).toBe(8);
    expect(after?.stats.total_volumes).toBe(1);
  });

  test("charges a growth for the difference, and refuses what goes beyond with all that is counted", async () => {
    const a = fake("a", 10, { provisioned_capacity_gb: 4, filter_function: "volume.size < 1" });
    const space = new PlannedSpace();
    const pin = { backend: a, pool: null };
    await space.grow(pin, record("one", 2), 6 * gib);
    const refusal = await space.grow(pin, record("two", 2), 5 * gib).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(StorageError);
    expect(refusal).toMatchObject({
      kind: "NoValidBackend",
      backend: "a",
      attribute: ["size"],
      reason: expect.stringMatching(/3 GiB are needed, and 2 GiB can be given.*one volume, 4 GiB/s),
    });
  });

  test("has what is replaced to give", async () => {
    const a = fake("a", 10, { provisioned_capacity_gb: 8, total_volumes: 1 });
    const space = new PlannedSpace();
    const replaced = [{ backend: a, record: record("old", 8) }];
    await space.create({ ...creation("db", 9, [a]), replaced });
    await expect(space.create(creation("more", 2, [a]))).rejects.toMatchObject({ kind: "NoValidBackend" });
  });

  test("moves with what is made elsewhere in the end", async () => {
    const backends = [fake("a", 10), fake("b", 8)];
    const space = new PlannedSpace();
    await space.create(creation("db", 5, backends));
    space.take("create db")?.moveTo("b");
    const after = await space.candidates(backends);
    expect(after.map(({ stats }) => stats.provisioned_capacity_gb)).toEqual([0, 5]);
  });

  test("says of each backend what stands against a volume that fits nowhere", async () => {
    const a = fake("a", 10);
    const b = fake("b", 100, { filter_function: "volume.size < 5" });
    const broken = Object.assign(fake("broken", 0), {
      checkIdentity: async () => {
        throw new StorageError({
          kind: "BackendUninitialized",
          action: "use it",
          reason: "no such directory",
        });
      },
    });
    const space = new PlannedSpace();
    await expect(space.create(creation("db", 20, [a, b, broken]))).rejects.toMatchObject({
      kind: "NoValidBackend",
      reason: expect.stringMatching(
        /- a: 20 GiB are needed.*- b: its filter_function excludes it.*- broken: no such directory/s,
      ),
    });
  });
});
