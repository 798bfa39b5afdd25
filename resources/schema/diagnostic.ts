import { type AttributePath, isStorageError } from "../../src/contract/index.ts";

/** What an engine shows the user. */
export interface Diagnostic {
  readonly severity: "error" | "warning";
  /** One line. */
  readonly summary: string;
  /** Why, and what to do. */
  readonly detail: string;
  readonly path?: AttributePath | undefined;
}

export function errorAt(path: AttributePath, summary: string, detail: string): Diagnostic {
  return { severity: "error", summary, detail, path };
}

/** Several complaints at once; thrown by a hook in place of a single `StorageError`. */
export class DiagnosticsError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map((diagnostic) => `${diagnostic.summary}: ${diagnostic.detail}`).join("\n"));
    this.name = "DiagnosticsError";
    this.diagnostics = diagnostics;
  }
}

/** What a thrown error tells the user. An error that is not ours is a bug and says so. */
export function diagnosticsOf(error: unknown): readonly Diagnostic[] {
  if (error instanceof DiagnosticsError) return error.diagnostics;
  if (isStorageError(error)) {
    return [{ severity: "error", summary: error.summary, detail: error.detail, path: error.attribute }];
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [
    {
      severity: "error",
      summary: "Internal error in breezeblock",
      detail: `This is a bug; please report it with this text. ${detail}`,
    },
  ];
}
