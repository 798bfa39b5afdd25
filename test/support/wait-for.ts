import { setTimeout as delay } from "node:timers/promises";

export interface WaitOptions {
  /** Milliseconds until the wait fails; 50,000 by default: a busy machine is no failure. */
  readonly deadlineMs?: number;
  /** Milliseconds between two looks; 10 by default. */
  readonly intervalMs?: number;
}

/**
 * Looks until `condition` gives something truthy, and returns that. A condition that throws counts as
 * not yet met; its last error is the cause when the deadline passes.
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<NonNullable<T>> {
  const { deadlineMs = 50_000, intervalMs = 10 } = options;
  const end = Date.now() + deadlineMs;
  let cause: unknown;
  do {
    try {
      const value = await condition();
      if (value) return value;
    } catch (error) {
      cause = error;
    }
    await delay(intervalMs);
  } while (Date.now() < end);
  throw new Error(`${what} did not happen within ${deadlineMs} ms.`, { cause });
}
