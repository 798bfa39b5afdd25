import type { Scenario } from "../scenario.ts";
import { adoptionScenarios } from "./adoption.ts";
import { connectionScenarios } from "./connections.ts";
import { copyScenarios } from "./copies.ts";
import { creationScenarios } from "./creation.ts";
import { deletionScenarios } from "./deletion.ts";
import { extensionScenarios } from "./extension.ts";
import { groupScenarios } from "./groups.ts";
import { imageScenarios } from "./images.ts";
import { interruptionScenarios } from "./interruptions.ts";
import { lastSnapshotScenarios } from "./last-snapshots.ts";
import { migrationScenarios } from "./migration.ts";
import { restoreScenarios } from "./restores.ts";
import { setupScenarios } from "./setup.ts";

/** Every scenario, in the order in which they run. */
export const scenarios: readonly Scenario[] = [
  ...setupScenarios,
  ...creationScenarios,
  ...deletionScenarios,
  ...extensionScenarios,
  ...copyScenarios,
  ...lastSnapshotScenarios,
  ...imageScenarios,
  ...adoptionScenarios,
  ...restoreScenarios,
  ...groupScenarios,
  ...migrationScenarios,
  ...connectionScenarios,
  ...interruptionScenarios,
];
