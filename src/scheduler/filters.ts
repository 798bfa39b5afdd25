import { fits, provisioningOf } from "./capacity.ts";
import { evaluate, isTrue } from "./expression/evaluate.ts";
import { ExpressionError } from "./expression/expression-error.ts";
import { matchesExtraSpecs } from "./extra-specs.ts";
import type { Candidate, PlacementRequest } from "./request.ts";
import { capabilitiesOf, variablesFor } from "./variables.ts";

/** Why a candidate cannot take a request; null where this filter lets it pass. */
type Filter = (candidate: Candidate, request: PlacementRequest) => string | null;

const filters: readonly Filter[] = [
  ({ uninitialized }) => uninitialized ?? null,
  inAvailabilityZone,
  ({ stats }, request) => fits(stats, request).reason,
  hasCapabilities,
  passesFilterFunction,
  followsHints,
];

/** Why a candidate cannot take a request, by the first filter that says so; null where it can. */
export function refusal(candidate: Candidate, request: PlacementRequest): string | null {
  for (const filter of filters) {
    const reason = filter(candidate, request);
    if (reason !== null) return reason;
  }
  return null;
}

function inAvailabilityZone(candidate: Candidate, request: PlacementRequest): string | null {
  const { availability_zone: zone } = candidate;
  const wanted = request.availability_zone;
  if (wanted === undefined || wanted === zone) return null;
  const place = zone === null ? "in no availability zone" : `in availability zone "${zone}"`;
  return `it is ${place}, and "${wanted}" is asked for`;
}

function hasCapabilities({ stats }: Candidate, { extra_specs }: PlacementRequest): string | null {
  const provisioning = provisioningOf(extra_specs);
  const { thin_provisioning_support: thin, thick_provisioning_support: thick } = stats;
  if ((provisioning === "thick" && thick === false) || (provisioning === "thin" && thin === false)) {
    return `it makes no ${provisioning} volumes`;
  }
  return matchesExtraSpecs(capabilitiesOf(stats), extra_specs).reason;
}

function passesFilterFunction(candidate: Candidate, request: PlacementRequest): string | null {
  const { filter_function: expression } = candidate.stats;
  if (expression === undefined) return null;
  try {
    const result = evaluate(expression, variablesFor(candidate, request));
    return isTrue(result, 1) ? null : `its filter_function excludes it: ${expression}`;
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return `its filter_function cannot be worked out: ${error.message}: ${expression}`;
  }
}

function followsHints({ backend }: Candidate, { hints }: PlacementRequest): string | null {
  const others = (hints?.same_backend ?? []).filter((name) => name !== backend);
  if (others.length > 0) return `the volume must be on the same backend as another, on ${listed(others)}`;
  if (hints?.different_backend?.includes(backend) === true) {
    return "the volume must be on another backend than one that is here";
  }
  return null;
}

function listed(names: readonly string[]): string {
  return [...new Set(names)].map((name) => `"${name}"`).join(" and ");
}
