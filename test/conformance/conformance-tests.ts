import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { titled } from "../support/availability.ts";
import { Lanes } from "./lanes.ts";
import { gapRows, type Row } from "./run.ts";
import type { SubjectDefinition } from "./subjects.ts";

declare module "vitest" {
  interface TaskMeta {
    /** What the reporter puts into the conformance table. */
    conformance?: readonly Row[];
  }
}

/** For a row to come: its lane may have others to do first. */
const rowDeadlineMs = 900_000;

/** Every scenario with each of these drivers and targets, one test each. To be awaited where tests are declared. */
export async function declareConformanceTests(definitions: readonly SubjectDefinition[]): Promise<void> {
  const found = await Promise.all(
    definitions.map(async (definition) => ({ definition, availability: await definition.available() })),
  );
  const available = found.filter(({ availability }) => availability.available);
  const lanes = new Lanes(available.map(({ definition }) => definition));
  afterAll(() => lanes.ended(), rowDeadlineMs);
  for (const { definition, availability } of found) {
    const name = titled(`${definition.driver} × ${definition.target}`, availability);
    describe.skipIf(!availability.available)(name, () => declareSubject(definition, lanes));
  }
}

function declareSubject(definition: SubjectDefinition, lanes: Lanes): void {
  // The lanes of all subjects start together; a test waits for its row.
  beforeAll(() => lanes.start());
  const rows: Row[] = [];
  for (const scenario of lanes.scenariosFor(definition)) {
    test(scenario.name, { timeout: rowDeadlineMs }, async ({ task }) => {
      const row = await lanes.row(definition, scenario);
      rows.push(row);
      task.meta.conformance = [row];
      expect(row.outcome === "failed" ? row.reason : "").toBe("");
    });
  }
  test("every clause of the contract is shown or declared a gap", ({ task }) => {
    const gaps = gapRows(definition, rows);
    task.meta.conformance = gaps;
    expect(gaps.filter(({ outcome }) => outcome === "failed")).toEqual([]);
  });
}
