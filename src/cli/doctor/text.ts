import {
  areSound,
  type ExaminedBackend,
  isHealthy,
  listed,
  type PlacedFinding,
  type Removal,
  type Report,
} from "./report.ts";
import { count } from "./stated.ts";

/** One thing of a table: its columns, and what there is to say of it below. */
interface Row {
  readonly columns: readonly string[];
  readonly details: readonly string[];
}

/** The report for people. */
export function toText(report: Report, hasStates: boolean): string {
  const { hosts, backends, states } = report;
  const parts = [
    table(
      ["HOST", "ADDRESS", "STATUS"],
      hosts.map(({ name, address, user, problem }) => ({
        columns: [name, address, problem === null ? `well, commands run as ${user}` : "not well"],
        details: problem === null ? [] : detailsOf(problem),
      })),
    ),
    table(["BACKEND", "STORAGE", "STATUS"], backends.map(backendRow)),
    table(
      ["STATE", "FORMAT", "STATUS"],
      states.map(({ file, format, objects, problems }) => ({
        columns: [
          file,
          format,
          `${problems.length === 0 ? "well" : "not well"}, ${count(objects, "object")}`,
        ],
        details: problems.flatMap(detailsOf),
      })),
    ),
    section("Findings", listed(report, "findings")),
    section("In progress, and left alone", listed(report, "inProgress")),
    section("Retained on purpose", listed(report, "retained")),
    `${summary(report, hasStates)}\n`,
  ];
  return parts.filter((part) => part !== "").join("\n");
}

/** What `--remove-all` is about to do. */
export function removalPlan(findings: readonly PlacedFinding[]): string {
  return section("To be removed", findings);
}

/** A line for what came of a removal. */
export function removalLine({ id, outcome, reason, nextStep }: Removal): string {
  if (outcome === "removed") return `Removed ${id}.\n`;
  if (outcome === "gone") return `Gone already: ${id}.\n`;
  return `Not removed: ${id}. ${[reason, nextStep]
    .filter((text) => text !== null)
    .map(sentence)
    .join(" ")}\n`;
}

function backendRow({ backend, examination }: ExaminedBackend): Row {
  const { problems, stats, judgement } = examination;
  const { driver, target, settings } = backend;
  const exported = target.protocol === "local" ? "" : `, ${target.protocol}`;
  const space =
    typeof stats?.free_capacity_gb === "number" && typeof stats.total_capacity_gb === "number"
      ? `, ${stats.free_capacity_gb.toFixed(1)} of ${stats.total_capacity_gb.toFixed(1)} GiB free`
      : "";
  const unmarked = judgement?.unmarked ?? 0;
  return {
    columns: [
      backend.name,
      `${driver.technology} on ${settings.host}${exported}`,
      `${problems.length === 0 ? "well" : "not well"}${space}`,
    ],
    details: [
      ...problems.flatMap(detailsOf),
      ...(unmarked === 0
        ? []
        : [`${count(unmarked, "left-over thing")} there without anybody's mark: not looked at any closer.`]),
    ],
  };
}

function section(title: string, findings: readonly PlacedFinding[]): string {
  if (findings.length === 0) return "";
  const lines = findings.map(
    ({ finding: { id, place, name, condition, reason, nextStep } }) =>
      `  ${id}\n    ${place.kind} ${name} (${condition.replace("_", " ")}). ${reason}\n    Next: ${nextStep}\n`,
  );
  return `${title}:\n${lines.join("")}`;
}

function summary(report: Report, hasStates: boolean): string {
  const findings = listed(report, "findings");
  const removable = findings.filter(({ finding }) => finding.removable === true).length;
  const health = isHealthy(report)
    ? "Hosts and backends are well"
    : "Not everything is well, or could be looked at";
  const found =
    findings.length === 0
      ? "nothing was found that is nobody's"
      : `${count(findings.length, "finding")}, of which ${removable} can be removed`;
  const hint = hasStates
    ? areSound(report)
      ? ""
      : "\nA state given cannot be judged by: no volumes, snapshots and attachments were called orphans."
    : "\nWithout --state nobody knows which volumes, snapshots and attachments are still wanted: those were not judged.";
  const owner = report.owner === "" ? "\nWithout an owner nothing carries a mark: nothing was judged." : hint;
  return `${health}; ${found}.${owner}`;
}

function table(header: readonly string[], rows: readonly Row[]): string {
  if (rows.length === 0) return "";
  const lines = [header, ...rows.map(({ columns }) => columns)];
  const widths = header.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  const format = (columns: readonly string[]) =>
    columns
      .map((text, at) => text.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd();
  const body = rows.map(
    ({ columns, details }) => `${format(columns)}\n${details.map((detail) => `  ${detail}\n`).join("")}`,
  );
  return `${format(header)}\n${body.join("")}`;
}

function detailsOf({
  reason,
  nextStep,
}: {
  readonly reason: string;
  readonly nextStep: string | null;
}): string[] {
  return [sentence(reason), ...(nextStep === null ? [] : [`Next: ${sentence(nextStep)}`])];
}

function sentence(text: string): string {
  const trimmed = text.trim().replaceAll(/\s*\n\s*/g, " ");
  return /[.!?:]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
