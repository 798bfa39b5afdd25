import type { TerraformWorkspace } from "../../support/terraform.ts";

/** What an engine tells its user, with the place that it points at. */
export interface ShownDiagnostic {
  readonly severity: string;
  readonly summary: string;
  readonly detail: string;
  /** The line of the configuration that is pointed at, without indentation; empty when there is none. */
  readonly at: string;
}

export interface Outcome {
  readonly exitCode: number | null;
  readonly diagnostics: readonly ShownDiagnostic[];
  /** Everything that was printed. */
  readonly output: string;
}

interface LogLine {
  readonly type?: string;
  readonly diagnostic?: {
    readonly severity: string;
    readonly summary: string;
    readonly detail?: string;
    readonly snippet?: { readonly code: string } | null;
  };
}

/** Runs `plan`, `apply`, `destroy` or `refresh` and returns what was complained of. */
export async function outcomeOf(
  terraform: TerraformWorkspace,
  command: "plan" | "apply" | "destroy",
  ...args: readonly string[]
): Promise<Outcome> {
  const manner = command === "plan" ? "-detailed-exitcode" : "-auto-approve";
  const { exitCode, stdout, stderr } = await terraform.run([command, manner, "-json", ...args]);
  const diagnostics = stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .flatMap((line) => {
      const { diagnostic } = JSON.parse(line) as LogLine;
      return diagnostic === undefined ? [] : [diagnostic];
    })
    .map(({ severity, summary, detail, snippet }) => ({
      severity,
      summary,
      detail: detail ?? "",
      at: snippet?.code.trim() ?? "",
    }));
  return { exitCode, diagnostics, output: stdout + stderr };
}
