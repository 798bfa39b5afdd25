import {
  checkConfig,
  type Diagnostic,
  DiagnosticsError,
  errorAt,
  type Provider,
  parseValues,
  type Raw,
  type Values,
} from "../../resources/schema/index.ts";
import type { JsonValue } from "../../src/contract/index.ts";
import { describeAll, errorsAmong, HookError } from "./messages.ts";
import { camelCase, renamedNames, toDeclaredNames } from "./names.ts";

/** The namespace of the settings in a stack's configuration: `breezeblock:hosts`. */
const namespace = "breezeblock";

/** A stack's configuration, by full keys such as `breezeblock:hosts`; structured values are JSON. Secrets are in clear. */
export interface StackConfiguration {
  /** The whole. Pulumi's launcher has it, but does not promise it. */
  readonly rawConfig?: Readonly<Record<string, string>>;
  get?(key: string): string | undefined;
}

/**
 * The provider's settings in a stack's configuration, checked.
 *
 * @throws HookError naming every setting that is wrong
 */
export function providerSettings(provider: Provider, stack: StackConfiguration): Values {
  const diagnostics: Diagnostic[] = [];
  const raw: Record<string, Raw> = {};
  for (const [key, text] of entriesOf(provider, stack)) {
    const name = key.slice(namespace.length + 1);
    const declared = Object.keys(provider.attributes).find(
      (other) => other === name || camelCase(other) === name,
    );
    if (declared !== undefined && Object.hasOwn(raw, declared)) {
      diagnostics.push(errorAt([declared], `Conflicting ${key}`, "Write it once, in one spelling."));
    }
    raw[declared ?? name] = isText(provider, declared) ? text : parseJson(text);
  }
  const { values, diagnostics: shape } = parseValues(
    provider.attributes,
    toDeclaredNames(provider.attributes, raw, diagnostics),
  );
  diagnostics.push(...shape);
  if (errorsAmong(diagnostics).length === 0) diagnostics.push(...checkConfig(provider.attributes, values));
  if (errorsAmong(diagnostics).length === 0) diagnostics.push(...provider.validate(values));
  if (errorsAmong(diagnostics).length > 0)
    throw configurationError(provider, new DiagnosticsError(diagnostics));
  return values;
}

/** The keys of breezeblock's own namespace: where the whole can be seen also the misspelt ones. */
function entriesOf(provider: Provider, stack: StackConfiguration): [string, string][] {
  if (stack.rawConfig !== undefined) {
    return Object.entries(stack.rawConfig).filter(([key]) => key.startsWith(`${namespace}:`));
  }
  const names = new Set(Object.keys(provider.attributes).flatMap((name) => [name, camelCase(name)]));
  return [...names].flatMap((name): [string, string][] => {
    const text = stack.get?.(`${namespace}:${name}`);
    return text === undefined ? [] : [[`${namespace}:${name}`, text]];
  });
}

function isText(provider: Provider, name: string | undefined): boolean {
  return name !== undefined && provider.attributes[name]?.type.kind === "string";
}

/** Structured values arrive as JSON; what is none is text, and its shape is judged by the declaration. */
function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

/** Says of errors in the provider's settings where they can be corrected. */
export function configurationError(provider: Provider, error: DiagnosticsError): HookError {
  const problems = describeAll(
    { attributes: provider.attributes, names: renamedNames(provider) },
    error.diagnostics,
  ).map((line) => `  ${line}`);
  return new HookError(
    [
      `The configuration of breezeblock (stack configuration "${namespace}:…") cannot be used:`,
      ...problems,
    ].join("\n"),
  );
}
