import { StorageError, type VolumeRecord } from "../contract/index.ts";
import { type Candidate, charge, fits, type PlacementRequest } from "../scheduler/index.ts";
import { bestOf, gib, noRoom, type Pin, type VolumeDemand } from "./candidates.ts";

/**
 * What a backend has room for while its lock is held: measured when first asked for, and charged with what is made since.
 * Nobody else makes anything meanwhile.
 */
export class HeldSpace {
  readonly #measure: () => Promise<readonly Candidate[]>;
  #candidates: Promise<readonly Candidate[]> | undefined;

  constructor(measure: () => Promise<readonly Candidate[]>) {
    this.#measure = measure;
  }

  /** @throws StorageError `NoValidBackend` where there is no room, or the volume may not come here */
  async take(demand: VolumeDemand, pin: Pin): Promise<void> {
    const current = await this.#now();
    const { candidate, request } = bestOf(current, demand, pin);
    this.#charge(current, candidate, request);
  }

  /** The same for a volume that is there. @throws StorageError `NoValidBackend` */
  async grow(pin: Pin, record: Growing, sizeBytes: number): Promise<void> {
    const current = await this.#now();
    const { candidate, request } = growthIn(current, pin, record, sizeBytes);
    this.#charge(current, candidate, request);
  }

  /** Something gave space back: measure again before more is taken. */
  forget(): void {
    this.#candidates = undefined;
  }

  #now(): Promise<readonly Candidate[]> {
    this.#candidates ??= this.#measure();
    return this.#candidates;
  }

  #charge(current: readonly Candidate[], charged: Candidate, request: PlacementRequest): void {
    this.#candidates = Promise.resolve(
      current.map((candidate) => (candidate === charged ? charge(candidate, request) : candidate)),
    );
  }
}

/** What of a volume decides where it can grow. */
export type Growing = Pick<VolumeRecord, "name" | "pool" | "provisioning" | "sizeBytes" | "growthBytes">;

/**
 * Where a volume grows, and by what. Only the room counts: who may come to a backend is no question for what is there.
 *
 * @throws StorageError `NoValidBackend` where the room is not enough
 */
export function growthIn(
  candidates: readonly Candidate[],
  pin: Pin,
  record: Growing,
  sizeBytes: number,
  remark = "",
): { readonly candidate: Candidate; readonly request: PlacementRequest } {
  const action = `extend volume "${record.name}" to ${gib(sizeBytes)} GiB`;
  const candidate = candidates.find(({ pool }) => pool === null || pool === record.pool);
  if (candidate === undefined) {
    throw new StorageError({
      kind: "NoValidBackend",
      action,
      reason: `It is in the pool "${record.pool}", which this backend does not have (any more)`,
      backend: pin.backend.name,
      host: pin.backend.host.host,
      attribute: ["size"],
    });
  }
  const request: PlacementRequest = {
    size_gb: gib(sizeBytes),
    existing_gb: gib(record.sizeBytes + (record.growthBytes ?? 0)),
    extra_specs: { "provisioning:type": record.provisioning },
  };
  const reason = candidate.uninitialized ?? fits(candidate.stats, request).reason;
  if (reason === null) return { candidate, request };
  const { backend, pool } = candidate;
  throw noRoom(pin, action, [{ backend, pool, reason }], remark).with({ attribute: ["size"] });
}
