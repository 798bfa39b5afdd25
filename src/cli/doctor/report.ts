import type { Examination, Finding, HostExamination, Problem } from "../../backend/doctor/index.ts";
import type { Backend } from "../../backend/index.ts";
import type { StateExamination } from "./stated.ts";

export interface ExaminedBackend {
  readonly backend: Backend;
  readonly examination: Examination;
}

/** What came of one removal. */
export interface Removal {
  readonly id: string;
  readonly outcome: "removed" | "gone" | "refused";
  /** Of a refusal. */
  readonly reason: string | null;
  readonly nextStep: string | null;
}

/** All that a run of the doctor found and did. */
export interface Report {
  readonly owner: string;
  readonly hosts: readonly HostExamination[];
  readonly backends: readonly ExaminedBackend[];
  readonly states: readonly StateExamination[];
  readonly removals: readonly Removal[];
}

/** A finding, and where it is. */
export interface PlacedFinding {
  readonly backend: Backend;
  readonly finding: Finding;
}

export function listed(
  { backends }: Pick<Report, "backends">,
  list: "findings" | "inProgress" | "retained",
): readonly PlacedFinding[] {
  return backends.flatMap(({ backend, examination }) =>
    (examination.judgement?.[list] ?? []).map((finding) => ({ backend, finding })),
  );
}

/** Whether the states given can be judged by. */
export function areSound({ states }: Pick<Report, "states">): boolean {
  return states.every(({ problems }) => problems.length === 0);
}

/** Whether every host, backend and state could be checked and is well; findings are another matter. */
export function isHealthy(report: Report): boolean {
  const { hosts, backends } = report;
  return (
    hosts.every(({ problem }) => problem === null) &&
    backends.every(({ examination }) => examination.problems.length === 0) &&
    areSound(report)
  );
}

/** The object that `--json` prints. Its form is a promise: docs/doctor.md. */
export function toJson(report: Report, isWell: boolean): string {
  return `${JSON.stringify(
    {
      version: 1,
      owner: report.owner,
      well: isWell,
      hosts: report.hosts.map(({ name, address, user, problem }) => ({
        ...{ name, address, user, well: problem === null },
        ...{ reason: problem?.reason ?? null, next_step: problem?.nextStep ?? null },
      })),
      backends: report.backends.map(backendJson),
      states: report.states.map(({ file, format, objects, problems }) => ({
        ...{ file, format, objects, well: problems.length === 0 },
        problems: problems.map(({ reason, nextStep }) => ({ reason, next_step: nextStep })),
      })),
      findings: listed(report, "findings").map(findingJson),
      in_progress: listed(report, "inProgress").map(findingJson),
      retained: listed(report, "retained").map(findingJson),
      removals: report.removals.map(({ id, outcome, reason, nextStep }) => ({
        ...{ id, outcome, reason, next_step: nextStep },
      })),
    },
    undefined,
    2,
  )}\n`;
}

function backendJson({ backend, examination }: ExaminedBackend) {
  const { identity, stats, judgement, problems } = examination;
  return {
    name: backend.name,
    host: backend.settings.host,
    technology: backend.driver.technology,
    storage_protocol: backend.target.protocol,
    identity,
    well: problems.length === 0,
    problems: problems.map(problemJson),
    judged: judgement !== null,
    total_capacity_gb: numberOrNull(stats?.total_capacity_gb),
    free_capacity_gb: numberOrNull(stats?.free_capacity_gb),
    pools: (stats?.pools ?? []).map((pool) => ({
      name: pool.pool_name,
      total_capacity_gb: numberOrNull(pool.total_capacity_gb),
      free_capacity_gb: numberOrNull(pool.free_capacity_gb),
      data_percent: pool.data_percent ?? null,
      metadata_percent: pool.metadata_percent ?? null,
    })),
    unmarked: judgement?.unmarked ?? null,
  };
}

function problemJson({ check, reason, nextStep }: Problem) {
  return { check, reason, next_step: nextStep };
}

function findingJson({ backend, finding }: PlacedFinding) {
  const { id, place, condition, name, reason, removable, nextStep } = finding;
  return {
    ...{ id, kind: place.kind, condition, backend: backend.name, host: backend.settings.host, name, reason },
    ...{ removable: removable === true, needs_force: removable === "forced", next_step: nextStep },
  };
}

function numberOrNull(value: number | "unknown" | "infinite" | undefined): number | null {
  return typeof value === "number" ? value : null;
}
