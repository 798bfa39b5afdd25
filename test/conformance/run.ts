import { isStorageError } from "../../src/contract/index.ts";
import {
  allocationClauses,
  type Clause,
  clauseNames,
  clauses,
  combinationClauses,
  connectionClauses,
  setupClauses,
} from "./clauses.ts";
import type { Scenario } from "./scenario.ts";
import { connectionScenarios } from "./scenarios/connections.ts";
import { scenarios } from "./scenarios/index.ts";
import type { Subject } from "./subject.ts";
import type { Scope, SubjectDefinition } from "./subjects.ts";
import { Trial } from "./trial.ts";

export type Outcome = "passed" | "failed" | "declared gap";

/** What came of one scenario with one driver and target. */
export interface Row {
  /** The scenario's name; of a clause that no scenario is for, its promise. */
  readonly scenario: string;
  readonly driver: string;
  readonly target: string;
  readonly clauses: readonly Clause[];
  readonly outcome: Outcome;
  /** Why it failed, or why it is a gap; empty where it passed. */
  readonly reason: string;
  readonly milliseconds: number;
}

const inScope: Readonly<Record<Scope, readonly Scenario[]>> = {
  everything: scenarios,
  storage: scenarios.filter((scenario) => !connectionScenarios.includes(scenario)),
  connections: connectionScenarios,
  combination: connectionScenarios.filter((scenario) => scenario.isAboutBoth === true),
  variant: scenarios.filter(
    (scenario) => scenario.isAboutRecords !== true && !connectionScenarios.includes(scenario),
  ),
};

const clausesInScope: Readonly<Record<Scope, readonly Clause[]>> = {
  everything: clauseNames,
  storage: [...setupClauses, ...allocationClauses],
  connections: connectionClauses,
  combination: combinationClauses,
  variant: allocationClauses,
};

/** The scenarios that mean anything for a subject. */
export function scenariosFor(definition: SubjectDefinition): readonly Scenario[] {
  return inScope[definition.scope].filter(
    ({ appliesTo }) => appliesTo === undefined || appliesTo(definition),
  );
}

/** Runs one scenario, unless a clause of it is a declared gap. Never rejects. */
export async function runScenario(
  definition: SubjectDefinition,
  subject: Subject,
  scenario: Scenario,
): Promise<Row> {
  const { driver, target, gaps } = definition;
  const row = { scenario: scenario.name, driver, target, clauses: scenario.clauses };
  const [gap] = [scenario.gap, ...scenario.clauses.map((clause) => gaps[clause])].filter(
    (reason) => reason !== undefined,
  );
  if (gap !== undefined) return { ...row, outcome: "declared gap", reason: gap, milliseconds: 0 };
  const started = Date.now();
  const reason = await failureOf(scenario, subject);
  const outcome = reason === undefined ? "passed" : "failed";
  return { ...row, outcome, reason: reason ?? "", milliseconds: Date.now() - started };
}

/** The clauses that no scenario is for: declared gaps, and those that nobody has declared, which fail. */
export function gapRows(definition: SubjectDefinition, rows: readonly Row[]): readonly Row[] {
  const { driver, target, gaps } = definition;
  const mine = rows.filter((row) => row.driver === driver && row.target === target);
  const covered = new Set(mine.flatMap((row) => row.clauses));
  return clausesInScope[definition.scope]
    .filter((clause) => !covered.has(clause))
    .map((clause) => ({
      scenario: clauses[clause],
      driver,
      target,
      clauses: [clause],
      outcome: gaps[clause] === undefined ? "failed" : "declared gap",
      reason: gaps[clause] ?? "no scenario shows this clause, and it is not declared a gap",
      milliseconds: 0,
    }));
}

async function failureOf(scenario: Scenario, subject: Subject): Promise<string | undefined> {
  const trial = new Trial(subject, scenario.sharesVolumes === true);
  const failure = await scenario.run(trial).then(() => undefined, describe);
  const remains = await trial.end().then(() => undefined, describe);
  return failure ?? remains;
}

function describe(error: unknown): string {
  if (isStorageError(error) || !(error instanceof Error)) return String(error);
  // The first line of a place of ours: where in the scenario it was.
  const place = /at .*(scenarios\/[^)]+)/.exec(error.stack ?? "")?.[1];
  return place === undefined ? error.message : `${error.message} (${place})`;
}
