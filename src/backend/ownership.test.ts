import { expect, test } from "vitest";
import type { Inventory, VolumeRecord } from "../contract/index.ts";
import type { Backend } from "./backend.ts";
import { requireUndamaged, requireWhole } from "./ownership.ts";

test("while an object cannot be told which one it is, nothing that is missed counts as gone", () => {
  const backend = { name: "fast", host: { host: "san1" } } as unknown as Backend;
  const inventory: Inventory = {
    identity: "vg",
    volumes: new Map([["there", {} as VolumeRecord]]),
    snapshots: new Map(),
    damaged: new Map(),
    unidentified: "vg0/renamed cannot be read",
  };
  requireWhole(backend, inventory, "volume", "there");
  expect(() => requireWhole(backend, inventory, "volume", "missed")).toThrow(
    expect.objectContaining({
      kind: "VolumeBackendError",
      reason: "vg0/renamed cannot be read; it may be this one",
      backend: "fast",
    }),
  );
  requireUndamaged(backend, inventory, "volume", "new");
  requireWhole(backend, { ...inventory, unidentified: undefined }, "volume", "missed");
});
