import { bytesPerGib, type Provisioning, StorageError, type VolumeStats } from "../contract/index.ts";
import { type Candidate, type PlacementRequest, place, type Rejection } from "../scheduler/index.ts";
import type { Backend } from "./backend.ts";

/** The pools of a backend that volumes can be placed in, or the backend itself where it has none. */
export function candidatesOf(backend: Backend, stats: VolumeStats): readonly Candidate[] {
  const { pools, labels: _, ...own } = stats;
  const { labels = {}, availabilityZone } = backend.settings.placement ?? {};
  return (pools ?? [null]).map((pool) => {
    const { pool_name: name = null, labels: __, ...figures } = pool ?? {};
    return {
      backend: backend.name,
      pool: name,
      availability_zone: availabilityZone ?? null,
      stats: { ...labels, ...own, ...figures },
    };
  });
}

/** A backend that cannot be used in this run, as a candidate that nothing fits. */
export function unusable(backend: Backend, reason: string): Candidate {
  return {
    backend: backend.name,
    pool: null,
    availability_zone: backend.settings.placement?.availabilityZone ?? null,
    stats: {},
    uninitialized: reason,
  };
}

/** What the user asks of a volume's place. */
export interface PlacementWishes {
  /** Extra specs. */
  readonly requirements: Readonly<Record<string, string>>;
  /** Null for any. */
  readonly availabilityZone: string | null;
  /** Names of backends: the volume must be on each of these, so that more than one leaves nothing. */
  readonly sameBackend: readonly string[];
  /** Names of backends: the volume must be on none of these. */
  readonly differentBackend: readonly string[];
}

export const anyPlace: PlacementWishes = {
  requirements: {},
  availabilityZone: null,
  sameBackend: [],
  differentBackend: [],
};

/** What a volume asks of the place that it goes to, whichever that will be. */
export interface VolumeDemand extends PlacementWishes {
  /** For errors. */
  readonly action: string;
  readonly sizeBytes: number;
  /** Null for whatever a backend makes first. */
  readonly provisioning: Provisioning | null;
  readonly multiattach: boolean;
}

/** A demand on one backend, or on one of its pools. */
export interface Pin {
  readonly backend: Backend;
  /** Null for any that fits. */
  readonly pool: string | null;
}

/** What a demand is to the scheduler. `existingBytes`: what of it is there already. */
export function requestOf(demand: VolumeDemand, existingBytes?: number): PlacementRequest {
  const { provisioning, requirements, availabilityZone } = demand;
  return {
    size_gb: gib(demand.sizeBytes),
    ...(existingBytes === undefined ? {} : { existing_gb: gib(existingBytes) }),
    extra_specs: {
      ...(demand.multiattach ? { "capabilities:multiattach": "<is> True" } : {}),
      ...requirements,
      ...(provisioning === null ? {} : { "provisioning:type": provisioning }),
    },
    ...(availabilityZone === null ? {} : { availability_zone: availabilityZone }),
    hints: { same_backend: demand.sameBackend, different_backend: demand.differentBackend },
  };
}

/** Those of a backend's candidates that a volume goes to: of several kinds of pools, those of the kind that it will be. */
export function eligible(
  candidates: readonly Candidate[],
  { provisioning }: Pick<VolumeDemand, "provisioning">,
  pin: Pin,
): readonly Candidate[] {
  const made = provisioning ?? pin.backend.driver.features.provisioning[0];
  const isOfKind = ({ stats }: Candidate) =>
    provisioning !== null ||
    (made === "thick" ? stats.thick_provisioning_support : stats.thin_provisioning_support) !== false;
  const isNamed = ({ pool }: Candidate) => pin.pool === null || pool === null || pool === pin.pool;
  return candidates.filter((candidate) => isOfKind(candidate) && isNamed(candidate));
}

export function describeRejections(rejected: readonly Rejection[]): string {
  return rejected
    .map(({ backend, pool, reason }) => `\n  - ${reference({ backend, pool })}: ${reason}`)
    .join("");
}

/** How a candidate stands in configurations: `fast`, or `fast#pool`. */
export function reference({ backend, pool }: Pick<Candidate, "backend" | "pool">): string {
  return pool === null ? backend : `${backend}#${pool}`;
}

/** The refusal of a demand on one backend. */
export function noRoom(pin: Pin, action: string, rejected: readonly Rejection[], remark = ""): StorageError {
  const [first, ...others] = rejected;
  return new StorageError({
    kind: "NoValidBackend",
    action,
    reason:
      (first === undefined
        ? `It has no pool "${pin.pool}"`
        : others.length === 0
          ? `${capitalized(first.reason)}`
          : `No pool of it fits:${describeRejections(rejected)}`) + remark,
    nextStep: "Ask for less, make room there or raise what it may give away, or name another backend",
    backend: pin.backend.name,
    host: pin.backend.host.host,
  });
}

/** The best of a backend's candidates for a demand. @throws StorageError `NoValidBackend` */
export function bestOf(
  candidates: readonly Candidate[],
  demand: VolumeDemand,
  pin: Pin,
  existingBytes?: number,
): { readonly candidate: Candidate; readonly request: PlacementRequest } {
  const request = requestOf(demand, existingBytes);
  const { ranked, rejected } = place(request, eligible(candidates, demand, pin));
  const [best] = ranked;
  if (best === undefined) throw noRoom(pin, demand.action, rejected);
  return { candidate: best.candidate, request };
}

export function gib(bytes: number): number {
  return bytes / bytesPerGib;
}

function capitalized(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
