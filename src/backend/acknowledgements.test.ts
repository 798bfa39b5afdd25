import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { newVolume } from "../../test/support/file-backend.ts";
import type { Inventory, VolumeRecord } from "../contract/index.ts";
import { AcknowledgementQueue } from "./acknowledgements.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function inventory(phases: Readonly<Record<string, VolumeRecord["phase"]>>): Inventory {
  const volumes = Object.entries(phases).map(([id, phase]): [string, VolumeRecord] => [
    id,
    { ...newVolume({ id }), phase, pool: "default", formatted: false, attachments: [], location: "" },
  ]);
  return { identity: "x", volumes: new Map(volumes), snapshots: new Map(), damaged: new Map() };
}

test("writes once for many ids, and only those that state holds and the host has unacknowledged", async () => {
  const writes: (readonly string[])[] = [];
  const queue = new AcknowledgementQueue(async (ids) => void writes.push(ids));
  queue.noteState("before");
  queue.noteState("settled");
  queue.listed(
    inventory({
      before: "unacknowledged",
      after: "unacknowledged",
      settled: "acknowledged",
      other: "unacknowledged",
    }),
  );
  queue.noteState("after");
  expect(writes).toEqual([]);
  await vi.runAllTimersAsync();
  expect(writes).toEqual([["before", "after"]]);
});

test("a flush writes at once and tells of a failure; a later one can succeed", async () => {
  let fails = true;
  const writes: (readonly string[])[] = [];
  const queue = new AcknowledgementQueue(async (ids) => {
    if (fails) throw new Error("no connection");
    writes.push(ids);
  });
  queue.noteState("a");
  queue.listed(inventory({ a: "unacknowledged" }));
  await expect(queue.flush()).rejects.toThrow("no connection");
  fails = false;
  queue.listed(inventory({ a: "unacknowledged" }));
  await queue.flush();
  expect(writes).toEqual([["a"]]);
});

test("a write that fails in the background is nobody's error", async () => {
  const queue = new AcknowledgementQueue(async () => {
    throw new Error("no connection");
  });
  queue.noteState("a");
  queue.listed(inventory({ a: "unacknowledged" }));
  await vi.runAllTimersAsync();
});
