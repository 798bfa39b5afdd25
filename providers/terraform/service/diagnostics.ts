import {
  type AttributeSet,
  type AttributeType,
  type Diagnostic,
  diagnosticsOf,
  errorAt,
  formatPath,
  nestedAttributes,
} from "../../../resources/schema/index.ts";
import type { AttributePath } from "../../../src/contract/index.ts";
import {
  DiagnosticSeverity,
  type Diagnostic as WireDiagnostic,
  type AttributePathStep as WireStep,
} from "../protocol/generated/tfplugin6.ts";
import type { Init } from "../protocol/message.ts";
import { UnreadableValue } from "../values/codec.ts";

/** What one call has to tell the user. */
export class Findings {
  readonly #attributes: AttributeSet;
  readonly #found: Diagnostic[] = [];

  /** `attributes`: of the schema that the paths lead through. */
  constructor(attributes: AttributeSet) {
    this.#attributes = attributes;
  }

  hasErrors(): boolean {
    return this.#found.some(({ severity }) => severity === "error");
  }

  add(diagnostics: readonly Diagnostic[]): void {
    this.#found.push(...diagnostics);
  }

  warn(diagnostic: Omit<Diagnostic, "severity">): void {
    this.#found.push({ ...diagnostic, severity: "warning" });
  }

  fail(summary: string, detail: string): void {
    this.#found.push({ severity: "error", summary, detail });
  }

  get failed(): boolean {
    return this.#found.some(({ severity }) => severity === "error");
  }

  /** What `run` resolves to; undefined when it failed, which is then among the findings. */
  async attempt<T>(run: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await run();
    } catch (error) {
      this.addError(error);
      return undefined;
    }
  }

  addError(error: unknown): void {
    if (error instanceof UnreadableValue) {
      this.add([errorAt(error.path, `Invalid ${formatPath(error.path)}`, error.message)]);
    } else {
      this.add(diagnosticsOf(error));
    }
  }

  wire(): Init<WireDiagnostic>[] {
    return this.#found.map(({ severity, summary, detail, path = [] }) => {
      const attribute = pointable(wirePath(this.#attributes, path));
      return {
        severity: severity === "error" ? DiagnosticSeverity.ERROR : DiagnosticSeverity.WARNING,
        summary,
        detail,
        ...(attribute.steps.length > 0 && { attribute }),
      };
    });
  }
}

/** Engines find an attribute, and an index into it; of anything deeper they would show the whole block instead. */
function pointable({ steps }: { readonly steps: readonly Init<WireStep>[] }): {
  readonly steps: readonly Init<WireStep>[];
} {
  return { steps: steps.slice(0, steps[1]?.attributeName === undefined ? 2 : 1) };
}

/**
 * A path as the protocol writes it, where every step says what it steps into. Ends where the schema ends, so that a path
 * that leads nowhere still points at the nearest thing that is there.
 */
export function wirePath(
  attributes: AttributeSet,
  path: AttributePath,
): { readonly steps: readonly Init<WireStep>[] } {
  const steps: Init<WireStep>[] = [];
  let inside: AttributeSet | undefined = attributes;
  let elementOf: AttributeType | undefined;
  for (const step of path) {
    if (inside !== undefined) {
      const attribute = typeof step === "string" ? inside[step] : undefined;
      if (attribute === undefined) break;
      steps.push({ attributeName: String(step) });
      ({ inside, elementOf } = within(attribute.type));
    } else if (elementOf !== undefined) {
      const isList: boolean = elementOf.kind === "list" || elementOf.kind === "object_list";
      if (isList !== (typeof step === "number")) break;
      steps.push(typeof step === "number" ? { elementKeyInt: step } : { elementKeyString: step });
      ({ inside, elementOf } = withinElement(elementOf));
    } else {
      break;
    }
  }
  return { steps };
}

interface Within {
  readonly inside: AttributeSet | undefined;
  readonly elementOf: AttributeType | undefined;
}

function within(type: AttributeType): Within {
  if (type.kind === "object") return { inside: type.attributes, elementOf: undefined };
  const hasElements = "element" in type || nestedAttributes(type) !== undefined;
  return { inside: undefined, elementOf: hasElements ? type : undefined };
}

function withinElement(type: AttributeType): Within {
  if ("element" in type) return within(type.element);
  return { inside: nestedAttributes(type), elementOf: undefined };
}
