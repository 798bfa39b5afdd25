import { expect, test } from "vitest";
import { refuseRestoreWithMove } from "./move.ts";

const snapshot_id = "fast/5b0a4e6e-6a5d-4d55-9d3b-0f5f7f7b1c11";
const prior = {
  id: "fast/0c9c1a5e-7a57-4b43-8d15-4a3d5f9f2f10",
  name: "db",
  migration: "from fast",
  restore: { snapshot_id, trigger: "one" },
};

test("what is left of a move is not ended in place of putting the volume back", () => {
  const planned = { restore: { snapshot_id, trigger: "two" } };
  expect(() => refuseRestoreWithMove(prior, planned)).toThrow(/from fast was interrupted/);
  expect(() => refuseRestoreWithMove({ ...prior, migration: null }, planned)).toThrow(/the same plan/);
});

test("a restore block that asks for nothing does not stand against a move", () => {
  expect(() => refuseRestoreWithMove(prior, { restore: prior.restore })).not.toThrow();
  expect(() => refuseRestoreWithMove(prior, { restore: null })).not.toThrow();
});
