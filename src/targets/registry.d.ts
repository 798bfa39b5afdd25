import { createLocalTarget } from "./local/index.ts";
/** Every way of reaching volumes, and what makes a target of it. The one place where a new target is entered. */
export declare const targets: {
  readonly local: typeof createLocalTarget;
};
/** The name of a target in the configuration. */
export type TargetName = keyof typeof targets;
