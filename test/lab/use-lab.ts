import { afterAll, beforeAll, inject } from "vitest";
import type { Availability } from "../support/availability.ts";
import { plantForeign } from "./foreign.ts";
import { Lab, type LabOptions } from "./lab.ts";

export interface UseLabOptions extends LabOptions {
  /** Puts things on the first storage host and consumer that breezeblock did not make; see `plantForeign`. */
  readonly foreign?: boolean;
}

/**
 * Whether there is a lab: a suite that uses one is
 * `describe.skipIf(!labAvailability.available)(titled("…", labAvailability), () => { const lab = useLab(); … })`.
 */
export const labAvailability: Availability = inject("lab");

/** A lab for the tests of a suite: `current()` gives it while they run. */
export interface UsedLab {
  current(): Lab;
}

/** Starts a lab with fresh guests before the suite's tests and ends it after them. */
export function useLab(options: UseLabOptions = {}): UsedLab {
  let lab: Lab | undefined;
  // A worker whose runner is gone would go on by itself.
  process.once("disconnect", () => process.exit());
  beforeAll(async () => {
    lab = await Lab.start(options);
    const [storage] = lab.storage;
    const [consumer] = lab.consumers;
    if (options.foreign === true && storage !== undefined) await plantForeign(storage, consumer);
  });
  afterAll(() => lab?.stop());
  return {
    current() {
      if (lab === undefined) throw new Error("The lab is there only while the suite's tests run.");
      return lab;
    },
  };
}
