import type { Variables } from "./expression/evaluate.ts";
import type { Value } from "./expression/nodes.ts";
import type { Candidate, CandidateStats, PlacementRequest } from "./request.ts";

/** What holds for a pool that does not say. */
const defaults: Readonly<Record<string, Value>> = {
  reserved_percentage: 0,
  provisioned_capacity_gb: 0,
  thin_provisioning_support: false,
  multiattach: false,
  online_extend_support: true,
  QoS_support: false,
};

/** All that a pool can be asked for: what it reports, and what the contract assumes of one that does not say. */
export function capabilitiesOf(stats: CandidateStats): Readonly<Record<string, unknown>> {
  const reported = Object.entries(stats).filter(([, value]) => value !== undefined && value !== null);
  return { ...defaults, ...Object.fromEntries(reported) };
}

/** What a candidate's `filter_function` and `goodness_function` can look at for a request. */
export function variablesFor(candidate: Candidate, request: PlacementRequest): Variables {
  const capabilities = scalars(capabilitiesOf(candidate.stats));
  return {
    capabilities,
    stats: {
      ...capabilities,
      host: candidate.backend,
      ...(candidate.pool === null ? {} : { pool_name: candidate.pool }),
    },
    extra: request.extra_specs,
    volume: { ...request.volume, size: request.size_gb },
    qos: request.qos ?? {},
  };
}

function scalars(stats: object): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(stats).filter((entry): entry is [string, Value] =>
      ["number", "string", "boolean"].includes(typeof entry[1]),
    ),
  );
}
