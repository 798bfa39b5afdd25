import { type AttributeSet, type Diagnostic, diagnosticsOf } from "../../resources/schema/index.ts";
import { camelText, formatCamelPath } from "./names.ts";

/** Whose names a message may use. */
export interface Scope {
  /** What its paths are paths into. */
  readonly attributes: AttributeSet;
  /** All names to be put in Pulumi's spelling. */
  readonly names: ReadonlySet<string>;
}

/** What `check` reports about one property. */
export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
}

export function checkFailures(scope: Scope, diagnostics: readonly Diagnostic[]): CheckFailure[] {
  return errorsAmong(diagnostics).map((diagnostic) => ({
    property: formatCamelPath(scope.attributes, diagnostic.path ?? []),
    reason: describe(scope.names, diagnostic),
  }));
}

export function errorsAmong(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.filter(({ severity }) => severity === "error");
}

export function describe(
  names: ReadonlySet<string>,
  diagnostic: Pick<Diagnostic, "summary" | "detail">,
): string {
  return camelText(names, `${diagnostic.summary}: ${diagnostic.detail}`);
}

/** What the user is told of diagnostics outside of `check`: one line each, the property first. */
export function describeAll(scope: Scope, diagnostics: readonly Diagnostic[]): readonly string[] {
  return errorsAmong(diagnostics).map((diagnostic) => {
    const property = formatCamelPath(scope.attributes, diagnostic.path ?? []);
    return `${property === "" ? "" : `${property}: `}${describe(scope.names, diagnostic)}`;
  });
}

/** What a hook throws to Pulumi's launcher. */
export class HookError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "breezeblock";
    // The engine shows the message. What check, diff, read and delete throw the launcher also prints, as `${error}: ${stack}`.
    this.stack = "the operation failed; its error is shown with the resource.";
  }

  override toString(): string {
    return this.name;
  }
}

/** What the launcher takes as "made, but not finished": it keeps `properties` as the state of `id`. */
export class UnfinishedError extends HookError {
  readonly id: string;
  readonly properties: object;
  readonly reasons: readonly string[];

  constructor(id: string, properties: object, reasons: readonly string[]) {
    super(reasons.join("\n"));
    this.id = id;
    this.properties = properties;
    this.reasons = reasons;
  }
}

/** The error for Pulumi that says what `error` says. */
export function hookError(scope: Scope, error: unknown): HookError {
  if (error instanceof HookError) return error;
  return new HookError(describeAll(scope, diagnosticsOf(error)).join("\n"));
}
