import type { TargetDriver } from "../contract/index.ts";
import { createLocalTarget } from "./local/index.ts";

/** Every way of reaching volumes, and what makes a target of it. The one place where a new target is entered. */
export const targets = {
  local: createLocalTarget,
} as const satisfies Record<string, (settings: never) => TargetDriver>;

/** The name of a target in the configuration. */
export type TargetName = keyof typeof targets;
