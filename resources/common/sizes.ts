import { bytesPerGib, maxSizeGib } from "../../src/contract/index.ts";
import type { Validator } from "../schema/index.ts";

/** A size that a user can ask for, in GiB. */
export const sizeInGib: Validator<number> = {
  description: `be between 1 and ${maxSizeGib} (4 PiB)`,
  check: (value) =>
    value >= 1 && value <= maxSizeGib
      ? undefined
      : `A size must be between 1 and ${maxSizeGib} GiB (4 PiB); ${value} is not.`,
};

export function gibToBytes(gib: number): number {
  return gib * bytesPerGib;
}

/** Rounded up, as a size that was found can be any number of bytes. */
export function bytesToGib(bytes: number): number {
  return Math.ceil(bytes / bytesPerGib);
}
