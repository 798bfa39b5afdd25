import type { AttributePath } from "../../src/contract/index.ts";
import { type AttributeSet, isComputed, isConfigurable, nestedAttributes } from "./attribute.ts";
import type { ErasedPlanResponse, HookContext, PrivateData, Resource } from "./resource.ts";
import { UNKNOWN, type Value, type Values, valuesEqual } from "./value.ts";

export interface ChangeRequest {
  /** As written: unset is null; unknowns allowed. Checked by `checkConfig` and the resource's `validate`. */
  readonly config: Values;
  readonly prior: Values | null;
  readonly private: PrivateData;
}

/**
 * The plan of a create or a change, the same for every engine, in a fixed order:
 * defaults; computed values (kept from prior state, unknown on create, and unknown when `volatile` and anything changes);
 * attributes that replace; the resource's own plan.
 */
export async function planChange(
  resource: Resource,
  context: HookContext | null,
  request: ChangeRequest,
): Promise<ErasedPlanResponse> {
  const { config, prior } = request;
  let planned = applyConfig(resource.attributes, config, prior);
  if (prior !== null && !valuesEqual(planned, prior))
    planned = forgetVolatile(resource.attributes, config, planned);
  return resource.plan(context, {
    config,
    prior,
    planned,
    replace: prior === null ? [] : replacingAttributes(resource.attributes, prior, planned),
    private: request.private,
  });
}

function applyConfig(attributes: AttributeSet, config: Values, prior: Values | null): Values {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, attribute]): [string, Value] => {
      const written = config[name] ?? null;
      if (attribute.writeOnly) return [name, null];
      if (written !== null && isConfigurable(attribute)) return [name, applyNested(attribute.type, written)];
      if (attribute.presence === "defaulted") return [name, attribute.default];
      if (isComputed(attribute)) return [name, prior === null ? UNKNOWN : (prior[name] ?? null)];
      return [name, null];
    }),
  );
}

/** Defaults inside nested attributes; nested attributes are never computed on their own. */
function applyNested(type: AttributeSet[string]["type"], written: Value): Value {
  const nested = nestedAttributes(type);
  if (nested === undefined || written === null || written === UNKNOWN) return written;
  const applyItem = (item: Value): Value =>
    item === null || item === UNKNOWN ? item : applyConfig(nested, item as Values, null);
  if (type.kind === "object") return applyItem(written);
  if (Array.isArray(written)) return written.map(applyItem);
  return Object.fromEntries(Object.entries(written as Values).map(([key, item]) => [key, applyItem(item)]));
}

function forgetVolatile(attributes: AttributeSet, config: Values, planned: Values): Values {
  return Object.fromEntries(
    Object.entries(planned).map(([name, value]) => {
      const attribute = attributes[name];
      const forget = attribute?.volatile === true && isComputed(attribute) && (config[name] ?? null) === null;
      return [name, forget ? UNKNOWN : value];
    }),
  );
}

function replacingAttributes(attributes: AttributeSet, prior: Values, planned: Values): AttributePath[] {
  return Object.entries(attributes)
    .filter(([name, { replaces }]) => replaces && !valuesEqual(prior[name] ?? null, planned[name] ?? null))
    .map(([name]) => [name]);
}
