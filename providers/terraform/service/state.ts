import {
  DiagnosticsError,
  fitState,
  type Resource,
  UNKNOWN,
  type Value,
  type Values,
} from "../../../resources/schema/index.ts";
import type { RawState } from "../protocol/generated/tfplugin6.ts";
import { parseJsonObject } from "../values/json.ts";

/** A stored state, of this version or an older one, in today's shape. Null where nothing is stored. Throws. */
export function upgradeState(
  resource: Resource,
  version: number,
  stored: RawState | undefined,
): Values | null {
  if (stored === undefined || stored.json.length === 0) {
    if (stored !== undefined && stored.flatmap.size > 0) {
      throw new DiagnosticsError([
        {
          severity: "error",
          summary: `Unable to read the stored state of a ${resource.name}`,
          detail:
            "It has the form of Terraform 0.11, in which this provider never wrote any. Import the object again.",
        },
      ]);
    }
    return null;
  }
  const state = parseJsonObject(stored.json);
  if (state === null) return null;
  return fitState(resource.attributes, version < resource.version ? resource.upgrade(version, state) : state);
}

/** With null for everything unknown, wherever it stands: state must be known, whatever came of an apply. */
export function withoutUnknowns(values: Values): Values {
  return known(values) as Values;
}

function known(value: Value): Value {
  if (value === UNKNOWN) return null;
  if (Array.isArray(value)) return value.map(known);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, known(item)]));
}
