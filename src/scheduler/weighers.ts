import { roomOf } from "./capacity.ts";
import { evaluate } from "./expression/evaluate.ts";
import { ExpressionError } from "./expression/expression-error.ts";
import type { Candidate, PlacementRequest } from "./request.ts";
import { variablesFor } from "./variables.ts";

/** How much each weigher counts; both 1 where they are left out. A negative one turns its order round. */
export interface Multipliers {
  /** Positive spreads volumes over what has most room, negative stacks them where there is least. */
  readonly capacity?: number | undefined;
  readonly goodness?: number | undefined;
}

/** A candidate that fits, and how good it is. */
export interface Weighed {
  readonly candidate: Candidate;
  /** The sum of both weights below; the greatest is the best. */
  readonly weight: number;
  /** What it can still promise, in GiB; null where that is not known or has no limit. */
  readonly room_gb: number | null;
  /** `room_gb` over all candidates as 0 to 1, times the multiplier. */
  readonly capacity_weight: number;
  /** What its `goodness_function` gives, 0 to 100. */
  readonly goodness: number;
  /** `goodness` over all candidates as 0 to 1, times the multiplier. */
  readonly goodness_weight: number;
  /** Why `goodness` is 0 although there is a `goodness_function`; null where nothing is wrong. */
  readonly goodness_problem: string | null;
}

/** Weighs candidates that fit a request, in the order given. */
export function weigh(
  candidates: readonly Candidate[],
  request: PlacementRequest,
  multipliers: Multipliers,
): readonly Weighed[] {
  const { capacity: capacityMultiplier = 1, goodness: goodnessMultiplier = 1 } = multipliers;
  const rooms = candidates.map((candidate) => knownRoom(candidate, request));
  const ratings = candidates.map((candidate) => rate(candidate, request));
  const capacities = normalized(leastForUnknown(rooms, capacityMultiplier));
  const goodness = normalized(ratings.map(({ goodness }) => goodness));
  return candidates.map((candidate, index) => {
    const capacityWeight = capacityMultiplier * (capacities[index] ?? 0);
    const goodnessWeight = goodnessMultiplier * (goodness[index] ?? 0);
    return {
      candidate,
      weight: rounded(capacityWeight + goodnessWeight),
      room_gb: rooms[index] ?? null,
      capacity_weight: rounded(capacityWeight),
      goodness: ratings[index]?.goodness ?? 0,
      goodness_weight: rounded(goodnessWeight),
      goodness_problem: ratings[index]?.problem ?? null,
    };
  });
}

function knownRoom({ stats }: Candidate, request: PlacementRequest): number | null {
  if (typeof stats.total_capacity_gb !== "number") return null;
  const room = roomOf(stats, request.extra_specs);
  return room.kind === "bounded" ? room.gib : null;
}

/** Figures in place of unknown ones, which come last whichever way round the order is. */
function leastForUnknown(rooms: readonly (number | null)[], multiplier: number): readonly number[] {
  const known = rooms.filter((room) => room !== null);
  const last = multiplier < 0 ? Math.max(0, ...known) + 1 : Math.min(0, ...known) - 1;
  return rooms.map((room) => room ?? last);
}

interface Rating {
  readonly goodness: number;
  readonly problem: string | null;
}

function rate(candidate: Candidate, request: PlacementRequest): Rating {
  const { goodness_function: expression } = candidate.stats;
  if (expression === undefined) return { goodness: 0, problem: null };
  try {
    const result = evaluate(expression, variablesFor(candidate, request));
    if (typeof result === "boolean") return { goodness: result ? 100 : 0, problem: null };
    if (typeof result === "number" && result >= 0 && result <= 100)
      return { goodness: result, problem: null };
    return {
      goodness: 0,
      problem: `goodness_function gives ${JSON.stringify(result)}, which is not between 0 and 100: ${expression}`,
    };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return {
      goodness: 0,
      problem: `goodness_function cannot be worked out: ${error.message}: ${expression}`,
    };
  }
}

/** 0 for the least, 1 for the greatest; all 0 where they are equal. */
function normalized(values: readonly number[]): readonly number[] {
  const least = Math.min(...values);
  const span = Math.max(...values) - least;
  return values.map((value) => (span === 0 ? 0 : (value - least) / span));
}

/** So that what is equal on paper is equal here, and the name decides. */
function rounded(weight: number): number {
  return Math.round(weight * 1e9) / 1e9 + 0;
}
