import { expect, test } from "vitest";
import { clauseNames } from "./clauses.ts";
import { gapRows, type Row } from "./run.ts";
import { scenarios } from "./scenarios/index.ts";
import type { SubjectDefinition } from "./subjects.ts";
import { formatTable } from "./table.ts";

const definition: SubjectDefinition = {
  driver: "toy",
  target: "local",
  consumers: 1,
  scope: "everything",
  clearsFreedSpace: false,
  needsLab: false,
  lane: "toy",
  gaps: { "CFS-2": "it does not replicate" },
  available: async () => ({ available: true, reason: "" }),
  open: async () => {
    throw new Error("nobody opens it");
  },
};

function row(changes: Partial<Row>): Row {
  const { driver, target } = definition;
  const scenario = "something holds";
  return {
    scenario,
    driver,
    target,
    clauses: [],
    outcome: "passed",
    reason: "",
    milliseconds: 1,
    ...changes,
  };
}

test("a clause without a scenario fails the run, unless it is a declared gap", () => {
  const covered = clauseNames.filter((clause) => clause !== "CFS-2" && clause !== "EXT-2");
  expect(gapRows(definition, [row({ clauses: covered })])).toMatchObject([
    { clauses: ["EXT-2"], outcome: "failed", reason: expect.stringContaining("no scenario") },
    { clauses: ["CFS-2"], outcome: "declared gap", reason: "it does not replicate" },
  ]);
});

test("what one driver shows covers nothing for another", () => {
  const rows = [row({ driver: "other", clauses: clauseNames })];
  expect(gapRows(definition, rows)).toHaveLength(clauseNames.length);
});

test("the table has a mark for each driver and target, each clause once, and every reason", () => {
  const table = formatTable([
    row({ clauses: ["CRE-1"] }),
    row({ driver: "other", clauses: ["CRE-1"], outcome: "failed", reason: "it was not there" }),
    row({ scenario: "something else", clauses: ["CRE-1"], outcome: "declared gap", reason: "not yet" }),
  ]);
  expect(table).toMatch(/^✔ {6}✘ {6}something holds \(CRE-1\)$/m);
  expect(table).toMatch(/^gap {4}· {6}something else \(CRE-1\)$/m);
  expect(table).toMatch(/^✔ {6}✘ {6}CRE-1: /m);
  expect(table).toMatch(/^· {6}· {6}CRE-2: /m);
  expect(table).toContain("✘ other × local: something holds: it was not there");
  expect(table).toContain("gap CRE-1: not yet (toy × local)");
  expect(table).toContain("1 passed, 1 failed, 1 declared gaps");
});

test("no two scenarios have the same name", () => {
  const names = scenarios.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});
