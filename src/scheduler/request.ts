import type { PoolStats, VolumeStats } from "../contract/index.ts";
import type { CapacityRequest, CapacityStats } from "./capacity.ts";
import type { ExtraSpecs } from "./extra-specs.ts";

/** What is known of a pool: its stats, with those of its backend where the pool says nothing of its own. */
export type CandidateStats = Readonly<
  Partial<Omit<PoolStats & VolumeStats, keyof CapacityStats | "pools">> & CapacityStats
>;

/** A pool of a backend, or a backend without pools, that a volume could be placed in. */
export interface Candidate {
  readonly backend: string;
  /** Null for a backend without pools. */
  readonly pool: string | null;
  readonly availability_zone: string | null;
  readonly stats: CandidateStats;
  /** Why the backend cannot be used, where its setup check failed. */
  readonly uninitialized?: string | undefined;
}

/** Backends by name, as the caller found them for the volumes that the user named. */
export interface PlacementHints {
  /** Each of these, so that more than one leaves nothing. */
  readonly same_backend?: readonly string[] | undefined;
  /** None of these. */
  readonly different_backend?: readonly string[] | undefined;
}

type Values = Readonly<Record<string, number | string | boolean>>;

/** A volume to place, or one to grow where it is. */
export interface PlacementRequest extends CapacityRequest {
  readonly extra_specs: ExtraSpecs;
  /** Any, where it is left out. */
  readonly availability_zone?: string | undefined;
  readonly hints?: PlacementHints | undefined;
  /** Where it is already, or must go: other backends are not even looked at. */
  readonly backend?: string | undefined;
  /** Together with `backend`: the pool there, null for a backend without pools. */
  readonly pool?: string | null | undefined;
  /** More of the volume for expressions, besides `volume.size`. */
  readonly volume?: Values | undefined;
  /** What expressions find under `qos`. */
  readonly qos?: Values | undefined;
}

/** How a candidate is called in messages: `fast`, or `fast#pool`. */
export function candidateName({ backend, pool }: Pick<Candidate, "backend" | "pool">): string {
  return pool === null ? backend : `${backend}#${pool}`;
}
