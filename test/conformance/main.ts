/** `npm run conformance [-- --driver NAME] [--target NAME] [--scenario TEXT]… [--json FILE]` */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Lanes } from "./lanes.ts";
import { gapRows, type Row } from "./run.ts";
import { type SubjectDefinition, subjects } from "./subjects.ts";
import { formatTable } from "./table.ts";

const { values } = parseArgs({
  options: {
    driver: { type: "string" },
    target: { type: "string" },
    scenario: { type: "string", multiple: true },
    json: { type: "string" },
  },
});
const chosen = await availableOf(subjects.filter(isChosen));
const rows: Row[] = [];
const lanes = new Lanes(chosen, {
  isWanted: ({ name }) => (values.scenario ?? [""]).some((text) => name.includes(text)),
  onRow(row) {
    rows.push(row);
    const { driver, target, outcome, milliseconds, scenario, reason } = row;
    console.error(`${driver} × ${target}: ${outcome} in ${milliseconds} ms: ${scenario}`);
    if (outcome === "failed") console.error(`  ${reason}`);
  },
});
await lanes.ended();
// Of a part of the scenarios nothing follows for the clauses.
if (values.scenario === undefined) {
  for (const definition of chosen) rows.push(...gapRows(definition, rows));
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, undefined, 2)}\n`);
process.stdout.write(formatTable(rows));
process.exit(rows.length === 0 || rows.some(({ outcome }) => outcome === "failed") ? 1 : 0);

function isChosen({ driver, target }: SubjectDefinition): boolean {
  return (values.driver ?? driver) === driver && (values.target ?? target) === target;
}

async function availableOf(definitions: readonly SubjectDefinition[]): Promise<readonly SubjectDefinition[]> {
  if (definitions.length === 0) {
    const names = subjects.map(({ driver, target }) => `${driver} × ${target}`).join(", ");
    console.error(`There is no such driver and target; there are: ${names}.`);
    process.exit(2);
  }
  const available: SubjectDefinition[] = [];
  for (const definition of definitions) {
    const { available: isAvailable, reason } = await definition.available();
    if (isAvailable) available.push(definition);
    else console.error(`${definition.driver} × ${definition.target}: ${reason}`);
  }
  return available;
}
