import { describe, expect, it } from "vitest";
import { FairMutex } from "./fair-mutex.ts";

describe("FairMutex", () => {
  const never = new AbortController().signal;

  it("lets one in at a time, in order", async () => {
    const mutex = new FairMutex();
    const order: number[] = [];
    let inside = 0;
    await Promise.all(
      [1, 2, 3].map(async (number) => {
        const release = await mutex.take("a", never);
        expect(++inside).toBe(1);
        await Promise.resolve();
        order.push(number);
        inside--;
        release();
      }),
    );
    expect(order).toEqual([1, 2, 3]);
  });

  it("passes over those who gave up", async () => {
    const mutex = new FairMutex();
    const first = await mutex.take("a", never);
    const giveUp = new AbortController();
    const second = mutex.take("a", giveUp.signal);
    const third = mutex.take("a", never);
    giveUp.abort();
    await expect(second).rejects.toThrow();
    first();
    await expect(third).resolves.toBeTypeOf("function");
  });

  it("keeps keys apart", async () => {
    const mutex = new FairMutex();
    await mutex.take("a", never);
    await expect(mutex.take("b", never)).resolves.toBeTypeOf("function");
  });
});
