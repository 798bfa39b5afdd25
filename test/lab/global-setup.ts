import type { TestProject } from "vitest/node";
import type { Availability } from "../support/availability.ts";
import { ensureLab, someoneIsThere } from "./availability.ts";
import { findImage } from "./image.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly lab: Availability;
  }
}

/**
 * Makes the lab ready before its first test file, where it can be had; otherwise its tests are left out. With
 * `BREEZEBLOCK_REQUIRE_LAB=1`, as continuous integration has it, its absence is an error.
 */
export async function setup(project: TestProject): Promise<void> {
  const lab = await ensureLab({ mayInstall: !someoneIsThere() });
  if (!lab.available && process.env["BREEZEBLOCK_REQUIRE_LAB"] === "1") {
    throw new Error(
      `${lab.reason.replace("left out: ", "")}, and BREEZEBLOCK_REQUIRE_LAB=1 asks for the lab.`,
    );
  }
  if (lab.available) await findImage((step) => console.log(`The lab: ${step} …`));
  project.provide("lab", lab);
}
