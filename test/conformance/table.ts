import { type Clause, clauseNames, clauses } from "./clauses.ts";
import type { Outcome, Row } from "./run.ts";

const marks = { passed: "✔", failed: "✘", "declared gap": "gap" } as const satisfies Record<Outcome, string>;

interface Column {
  readonly driver: string;
  readonly target: string;
}

/** What passed for whom: scenarios first, then clauses, then why what did not pass did not. */
export function formatTable(rows: readonly Row[]): string {
  const columns = distinct(rows.map(({ driver, target }) => `${driver}\t${target}`)).map((name): Column => {
    const [driver = "", target = ""] = name.split("\t");
    return { driver, target };
  });
  const scenarioRows = distinct(rows.map(({ scenario }) => scenario)).map((scenario) => {
    const same = rows.filter((row) => row.scenario === scenario);
    const [first] = same;
    return line(columns, same, `${scenario}${shown(first?.clauses ?? [])}`);
  });
  const clauseRows = clauseNames.map((clause) =>
    line(
      columns,
      rows.filter((row) => row.clauses.includes(clause)),
      `${clause}: ${clauses[clause]}`,
    ),
  );
  return [
    "",
    "Conformance: what passed for whom",
    "",
    ...heading(columns),
    ...scenarioRows,
    "",
    "Clauses of the contract",
    "",
    ...heading(columns),
    ...clauseRows,
    "",
    ...reasons(rows),
    summary(rows),
    "",
  ].join("\n");
}

function summary(rows: readonly Row[]): string {
  const count = (outcome: Outcome) => rows.filter((row) => row.outcome === outcome).length;
  return `${count("passed")} passed, ${count("failed")} failed, ${count("declared gap")} declared gaps`;
}

function heading(columns: readonly Column[]): readonly string[] {
  return [
    columns.map((column) => column.driver.padEnd(width(column))).join(""),
    columns.map((column) => column.target.padEnd(width(column))).join(""),
  ];
}

function line(columns: readonly Column[], rows: readonly Row[], text: string): string {
  const cells = columns.map((column) => {
    const mine = rows.filter(({ driver, target }) => driver === column.driver && target === column.target);
    return markOf(mine).padEnd(width(column));
  });
  return cells.join("") + text;
}

function shown(names: readonly Clause[]): string {
  return names.length === 0 ? "" : ` (${names.join(", ")})`;
}

/** A clause is shown by what passed, unless something failed; a dot where nothing was to be shown. */
function markOf(rows: readonly Row[]): string {
  for (const outcome of ["failed", "passed", "declared gap"] as const) {
    if (rows.some((row) => row.outcome === outcome)) return marks[outcome];
  }
  return "·";
}

function width({ driver, target }: Column): number {
  return Math.max(driver.length, target.length, 3) + 2;
}

function reasons(rows: readonly Row[]): readonly string[] {
  const failed = rows
    .filter(({ outcome }) => outcome === "failed")
    .map(({ driver, target, scenario, reason }) => `✘ ${driver} × ${target}: ${scenario}: ${reason}`);
  const gaps = new Map<string, Set<string>>();
  for (const row of rows) {
    if (row.outcome !== "declared gap") continue;
    const what = row.clauses.length === 0 ? row.scenario : row.clauses.join(", ");
    const key = `gap ${what}: ${row.reason}`;
    gaps.set(key, (gaps.get(key) ?? new Set()).add(`${row.driver} × ${row.target}`));
  }
  const declared = [...gaps].map(([key, whose]) => `${key} (${[...whose].join(", ")})`);
  return [...failed, ...declared, ""];
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
