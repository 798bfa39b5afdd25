import { chargeOf, isThin } from "./capacity.ts";
import { refusal } from "./filters.ts";
import { type Candidate, candidateName, type PlacementRequest } from "./request.ts";
import { type Multipliers, type Weighed, weigh } from "./weighers.ts";

export interface Rejection {
  readonly backend: string;
  readonly pool: string | null;
  readonly reason: string;
}

export interface Placement {
  /** The candidates that fit, the best first. */
  readonly ranked: readonly Weighed[];
  /** The others, by name. */
  readonly rejected: readonly Rejection[];
}

export interface PlacementOptions {
  readonly multipliers?: Multipliers | undefined;
}

/** One request of a set, decided. */
export interface SetPlacement extends Placement {
  readonly request: PlacementRequest;
  /** Where it goes; null where it fits nowhere. */
  readonly chosen: Candidate | null;
}

/**
 * Ranks the candidates that a volume could be placed in, and says of each other one why not. The same input gives the same
 * answer: where weights are equal, names decide.
 */
export function place(
  request: PlacementRequest,
  candidates: readonly Candidate[],
  options: PlacementOptions = {},
): Placement {
  const fitting: Candidate[] = [];
  const rejected: Rejection[] = [];
  for (const candidate of [...candidates].sort(byName)) {
    if (!isAskedFor(candidate, request)) continue;
    const reason = refusal(candidate, request);
    if (reason === null) fitting.push(candidate);
    else rejected.push({ backend: candidate.backend, pool: candidate.pool, reason });
  }
  // Sorting keeps what is equal in its order, which is that of the names.
  const ranked = [...weigh(fitting, request, options.multipliers ?? {})].sort((a, b) => b.weight - a.weight);
  return { ranked, rejected };
}

/** Decides a set in its order, each volume counting for those after it. What fits nowhere counts for nothing. */
export function placeSet(
  requests: readonly PlacementRequest[],
  candidates: readonly Candidate[],
  options: PlacementOptions = {},
): readonly SetPlacement[] {
  let current = candidates;
  return requests.map((request) => {
    const placement = place(request, current, options);
    const chosen = placement.ranked[0]?.candidate ?? null;
    if (chosen !== null) {
      current = current.map((candidate) => (candidate === chosen ? charge(candidate, request) : candidate));
    }
    return { request, ...placement, chosen };
  });
}

/** The candidate as it is once the request is placed in it. */
export function charge(candidate: Candidate, request: PlacementRequest): Candidate {
  const { stats } = candidate;
  const added = chargeOf(request);
  const free = stats.free_capacity_gb;
  const thick = !isThin(stats, request.extra_specs);
  const isNew = request.existing_gb === undefined;
  return {
    ...candidate,
    stats: {
      ...stats,
      provisioned_capacity_gb: (stats.provisioned_capacity_gb ?? 0) + added,
      ...(thick && typeof free === "number" ? { free_capacity_gb: free - added } : {}),
      ...(isNew && stats.total_volumes !== undefined ? { total_volumes: stats.total_volumes + 1 } : {}),
    },
  };
}

function isAskedFor(candidate: Candidate, { backend, pool }: PlacementRequest): boolean {
  if (backend !== undefined && candidate.backend !== backend) return false;
  return pool === undefined || candidate.pool === pool;
}

function byName(one: Candidate, other: Candidate): number {
  const [a, b] = [candidateName(one), candidateName(other)];
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
