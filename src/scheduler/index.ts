/**
 * Which backend a volume goes to: expressions, extra specs, capacity and placement. Nothing here does I/O.
 *
 * @module
 */
export { type CapacityRequest, type CapacityStats, type Fit, fits } from "./capacity.ts";
export { evaluate, type Variables } from "./expression/evaluate.ts";
export { ExpressionError } from "./expression/expression-error.ts";
export type { Value } from "./expression/nodes.ts";
export { parse as parseExpression } from "./expression/parser.ts";
export { type ExtraSpecs, type ExtraSpecsMatch, matchesExtraSpec, matchesExtraSpecs } from "./extra-specs.ts";
export {
  charge,
  type Placement,
  type PlacementOptions,
  place,
  placeSet,
  type Rejection,
  type SetPlacement,
} from "./place.ts";
export type { Candidate, CandidateStats, PlacementHints, PlacementRequest } from "./request.ts";
export type { Multipliers, Weighed } from "./weighers.ts";
