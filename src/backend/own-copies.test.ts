import { expect, test } from "vitest";
import { OwnCopies } from "./own-copies.ts";

/** Whether `promise` has resolved by now. */
async function isSettled(promise: Promise<unknown> | undefined): Promise<boolean> {
  const pending = Symbol("pending");
  return (
    (await Promise.race([promise, new Promise((resolve) => setImmediate(resolve, pending))])) !== pending
  );
}

test("waits for every copy of a volume, and for no other's", async () => {
  const copies = new OwnCopies();
  expect(copies.ended("a", undefined)).toBeUndefined();
  const [first, second] = [copies.begin("a"), copies.begin("a")];
  copies.begin("b");
  const ended = copies.ended("a", undefined);
  first();
  expect(await isSettled(ended)).toBe(false);
  second();
  expect(await isSettled(ended)).toBe(true);
  expect(copies.ended("a", undefined)).toBeUndefined();
  expect(copies.ended("b", undefined)).toBeDefined();
});

test("an abort ends the wait, not the copy", async () => {
  const copies = new OwnCopies();
  copies.begin("a");
  const stop = new AbortController();
  const ended = copies.ended("a", stop.signal);
  expect(await isSettled(ended)).toBe(false);
  stop.abort();
  expect(await isSettled(ended)).toBe(true);
  expect(copies.ended("a", undefined)).toBeDefined();
});
