import type { AttributePath } from "../../src/contract/index.ts";
import {
  type Attribute,
  type AttributeSet,
  isConfigurable,
  nestedAttributes,
  type Validator,
} from "./attribute.ts";
import { type Diagnostic, errorAt } from "./diagnostic.ts";
import { isWhollyKnown, UNKNOWN, type Value, type Values } from "./value.ts";

/**
 * Checks a configuration against its declaration: required attributes set, computed ones not, every validator content.
 * What is unknown is taken to be right. Shapes are taken to fit already (see `parseValues`).
 */
export function checkConfig(attributes: AttributeSet, config: Values, at: AttributePath = []): Diagnostic[] {
  return Object.entries(attributes).flatMap(([name, attribute]) =>
    checkAttribute(attribute, config[name] ?? null, [...at, name]),
  );
}

function checkAttribute(attribute: Attribute, value: Value, path: AttributePath): Diagnostic[] {
  const label = formatPath(path);
  if (value === UNKNOWN) return [];
  if (value === null) {
    return attribute.presence === "required"
      ? [errorAt(path, `Missing ${label}`, `"${label}" is required.`)]
      : [];
  }
  if (!isConfigurable(attribute)) {
    return [
      errorAt(
        path,
        `Invalid ${label}`,
        `"${label}" is set by the provider; remove it from the configuration.`,
      ),
    ];
  }
  const found: Diagnostic[] = [];
  if (attribute.deprecated !== undefined) {
    found.push({ severity: "warning", summary: `Deprecated ${label}`, detail: attribute.deprecated, path });
  }
  found.push(...checkNested(attribute, value, path));
  if (found.every(({ severity }) => severity === "warning") && isWhollyKnown(value)) {
    for (const validator of attribute.validators as readonly Validator<Value>[]) {
      const complaint = validator.check(value);
      if (complaint !== undefined) {
        found.push(errorAt(path, `Invalid ${label}`, complaint));
        break;
      }
    }
  }
  return found;
}

function checkNested(attribute: Attribute, value: Value, path: AttributePath): Diagnostic[] {
  const nested = nestedAttributes(attribute.type);
  if (nested === undefined) return checkElements(value, path);
  if (attribute.type.kind === "object") return checkConfig(nested, value as Values, path);
  return Object.entries(value as Values).flatMap(([key, item]) => {
    const at = [...path, Array.isArray(value) ? Number(key) : key];
    if (item === UNKNOWN) return [];
    if (item === null) return [errorAt(at, `Invalid ${formatPath(at)}`, "It must not be null.")];
    return checkConfig(nested, item as Values, at);
  });
}

function checkElements(value: Value, path: AttributePath): Diagnostic[] {
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value)
    .filter(([, item]) => item === null)
    .map(([key]) => {
      const at = [...path, Array.isArray(value) ? Number(key) : key];
      return errorAt(at, `Invalid ${formatPath(at)}`, "It must not be null.");
    });
}

/** `connector.initiator`, `portals[0]`, `hosts["san 1"].port`. */
export function formatPath(path: AttributePath): string {
  return path
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join("");
}
