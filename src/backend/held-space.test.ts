import { describe, expect, test } from "vitest";
import { localBackend } from "../../test/support/backend.ts";
import { candidatesOf } from "./candidates.ts";
import { type Growing, HeldSpace } from "./held-space.ts";

const gib = 1024 ** 3;

function space(free: number) {
  const { backend } = localBackend();
  const held = new HeldSpace(async () =>
    candidatesOf(backend, {
      ...(await backend.stats()),
      total_capacity_gb: 20,
      free_capacity_gb: free,
      provisioned_capacity_gb: 20 - free,
    }),
  );
  return {
    grow: (volume: Growing, sizeGib: number) => held.grow({ backend, pool: null }, volume, sizeGib * gib),
  };
}

const volume = { name: "db", pool: "", provisioning: "thick", sizeBytes: 4 * gib } as const;

describe("the space of a backend whose lock is held", () => {
  test("has room for a growth by what is free", async () => {
    await space(2).grow(volume, 6);
    await expect(space(2).grow(volume, 7)).rejects.toMatchObject({ kind: "NoValidBackend" });
  });

  test("is not asked again for what an interrupted growth has taken", async () => {
    const begun = { ...volume, growthBytes: 2 * gib };
    await space(0).grow(begun, 6);
    await expect(space(0).grow(begun, 7)).rejects.toMatchObject({ kind: "NoValidBackend" });
  });
});
