import { expect, test } from "vitest";
import { StorageError } from "../contract/index.ts";
import { ExclusiveQueue } from "./exclusive.ts";

test("who asks just when all others have given up the wait for the lock still gets it", async () => {
  const stop = new AbortController();
  let late: Promise<string> | undefined;
  const queue = new ExclusiveQueue<string>(async (signal, use) => {
    if (late !== undefined) return use("locked");
    stop.abort();
    expect(signal.aborted).toBe(true);
    late = queue.run(undefined, async (context) => context);
    throw new StorageError({ kind: "Cancelled", action: "take the lock", reason: "stopped" });
  });
  await expect(queue.run(stop.signal, async () => "first")).rejects.toMatchObject({ kind: "Cancelled" });
  expect(await late).toBe("locked");
});
