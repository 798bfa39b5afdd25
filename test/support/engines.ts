import type { Availability } from "./availability.ts";
import { findCommand } from "./commands.ts";

export const engines = ["terraform", "tofu", "pulumi"] as const;
export type Engine = (typeof engines)[number];

export type FoundEngine = Availability & {
  /** Absolute path of the command; empty when it is left out. */
  readonly path: string;
};

/**
 * Looks for an engine on PATH. Where `BREEZEBLOCK_REQUIRE_ENGINES=1` is set, as continuous integration
 * does, a missing engine is an error, so that its tests cannot go missing unseen.
 */
export function findEngine(engine: Engine): FoundEngine {
  const path = findCommand(engine);
  if (path !== undefined) return { available: true, reason: "", path };
  const missing = `${engine} is not on PATH`;
  if (process.env["BREEZEBLOCK_REQUIRE_ENGINES"] === "1") {
    throw new Error(`${missing}, and BREEZEBLOCK_REQUIRE_ENGINES=1 asks for all of ${engines.join(", ")}.`);
  }
  return { available: false, reason: `left out: ${missing}`, path: "" };
}
