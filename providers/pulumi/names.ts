import {
  type Attribute,
  type AttributeSet,
  type AttributeType,
  type Diagnostic,
  errorAt,
  formatPath,
  nestedAttributes,
  type Provider,
  type Raw,
} from "../../resources/schema/index.ts";
import type { AttributePath } from "../../src/contract/index.ts";

/** `private_key_file` → `privateKeyFile`. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** `volume` → `Volume`. */
export function pascalCase(name: string): string {
  const camel = camelCase(name);
  return camel.charAt(0).toUpperCase() + camel.slice(1);
}

/**
 * Gives every declared name in `raw` its declared spelling, at every declared level. Keys of maps are data and stay, as
 * does what is not declared (`parseValues` complains about that). Both spellings of one name are an error.
 */
export function toDeclaredNames(
  attributes: AttributeSet,
  raw: Raw,
  diagnostics: Diagnostic[],
  at: AttributePath = [],
): Raw {
  if (!isMapping(raw)) return raw;
  const declared = new Map(Object.keys(attributes).map((name) => [camelCase(name), name]));
  const result: Record<string, Raw> = {};
  for (const [key, value] of Object.entries(raw)) {
    const name = declared.get(key) ?? key;
    const path = [...at, name];
    if (Object.hasOwn(result, name)) {
      diagnostics.push(
        errorAt(
          path,
          `Conflicting ${key}`,
          `Write ${formatPath([...at, camelCase(name)])} once, in one spelling.`,
        ),
      );
    }
    const attribute = attributes[name];
    result[name] =
      attribute === undefined ? value : toDeclaredValue(attribute.type, value, diagnostics, path);
  }
  return result;
}

function toDeclaredValue(type: AttributeType, raw: Raw, diagnostics: Diagnostic[], at: AttributePath): Raw {
  const nested = nestedAttributes(type);
  if (nested === undefined) return raw;
  if (type.kind === "object") return toDeclaredNames(nested, raw, diagnostics, at);
  if (Array.isArray(raw)) {
    return raw.map((item: Raw, index) => toDeclaredNames(nested, item, diagnostics, [...at, index]));
  }
  if (!isMapping(raw)) return raw;
  return Object.fromEntries(
    Object.entries(raw).map(([key, item]) => [key, toDeclaredNames(nested, item, diagnostics, [...at, key])]),
  );
}

/** The path as a Pulumi user writes it: `connector.initiator`, `hosts["san 1"].privateKeyFile`. */
export function formatCamelPath(attributes: AttributeSet, path: AttributePath): string {
  return formatPath(camelPath(attributes, path));
}

function camelPath(attributes: AttributeSet, path: AttributePath): AttributePath {
  const [step, ...rest] = path;
  if (step === undefined) return [];
  if (typeof step === "number") return path;
  const attribute: Attribute | undefined = attributes[step];
  if (attribute === undefined) return path;
  const nested = nestedAttributes(attribute.type);
  if (nested === undefined) return [camelCase(step), ...rest];
  if (attribute.type.kind === "object") return [camelCase(step), ...camelPath(nested, rest)];
  return [camelCase(step), ...rest.slice(0, 1), ...camelPath(nested, rest.slice(1))];
}

/** `text` with every declared name in it as a Pulumi user writes it. */
export function camelText(names: ReadonlySet<string>, text: string): string {
  return text.replace(/[A-Za-z0-9_]+/g, (word) => (names.has(word) ? camelCase(word) : word));
}

/** Every name that the provider declares and that Pulumi users write in another way. */
export function renamedNames(provider: Provider): ReadonlySet<string> {
  const scopes = [provider, ...provider.resources, ...provider.dataSources, ...provider.ephemerals];
  const names = scopes.flatMap(({ attributes }) => [...declaredNames(attributes)]);
  return new Set(names.filter((name) => name.includes("_")));
}

function* declaredNames(attributes: AttributeSet): Generator<string> {
  for (const [name, attribute] of Object.entries(attributes)) {
    yield name;
    const nested = nestedAttributes(attribute.type);
    if (nested !== undefined) yield* declaredNames(nested);
  }
}

function isMapping(raw: Raw): raw is { readonly [key: string]: Raw } {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw);
}
