import type { TargetDriver } from "../contract/index.ts";
import { createIscsiTarget } from "./iscsi/index.ts";
import { createLocalTarget } from "./local/index.ts";
import { createNvmetTarget } from "./nvmet/index.ts";

/** Every way of reaching volumes, and what makes a target of it. The one place where a new target is entered. */
export const targets = {
  iscsi: createIscsiTarget,
  local: createLocalTarget,
  nvmet: createNvmetTarget,
} as const satisfies Record<string, (settings: never) => TargetDriver>;

/** The name of a target in the configuration. */
export type TargetName = keyof typeof targets;

/** What a target is made from. */
export type TargetSettings<T extends TargetName> = Parameters<(typeof targets)[T]>[0];
