import { isStorageError, type PoolStats, type StorageError, type VolumeStats } from "../../contract/index.ts";
import type { Backend } from "../backend.ts";
import { gather } from "./evidence.ts";
import type { Judgement } from "./findings.ts";
import { judge, type Knowledge } from "./judge.ts";

/** Something that keeps a backend, or part of it, from being well. */
export interface Problem {
  readonly check: "setup" | "target" | "states" | "listing" | "space";
  readonly reason: string;
  readonly nextStep: string | null;
}

/** What states hold, as far as one backend can be compared with it. */
export interface StatedObjects {
  /** By the state's name: the identities that its objects on this backend were made with. */
  readonly identities: ReadonlyMap<string, ReadonlySet<string>>;
  /** By the state's name: the UUIDs of all that it holds, wherever: an id is unique. */
  readonly idsOf: ReadonlyMap<string, ReadonlySet<string>>;
}

/** What there is to say of one backend before anything on it is judged. */
export interface Inspection {
  readonly problems: readonly Problem[];
  readonly identity: string | null;
  readonly stats: VolumeStats | null;
  /** States that were made with other storage, or that hold another owner's objects which are here. */
  readonly strangers: ReadonlySet<string>;
  /** UUIDs of this owner's objects that states hold and that are here; `null` where nobody could look. */
  readonly found: ReadonlySet<string> | null;
}

/** What there is to say of one backend. */
export interface Examination extends Pick<Inspection, "problems" | "identity" | "stats"> {
  /** `null` where nothing could be judged. */
  readonly judgement: Judgement | null;
}

/** Used part of a pool, in percent, from which on it counts as nearly full; that of a thin pool's metadata. */
export const nearlyFull = { data: 90, metadata: 80 } as const;

/** Checks a backend, and compares it with states. Changes nothing; what goes wrong is part of the answer. */
export async function inspect(backend: Backend, stated: StatedObjects): Promise<Inspection> {
  const problems: Problem[] = [];
  let seen: Omit<Inspection, "problems"> = { identity: null, stats: null, strangers: new Set(), found: null };
  try {
    await backend.ready();
    const listing = await backend.listing();
    seen = { ...seen, identity: listing.identity, stats: await backend.stats() };
    problems.push(...shortages(await backend.stats()), ...(await problemOfTarget(backend)));
    const strangers = strangersIn(backend, listing, stated);
    problems.push(...strangers.values());
    seen = { ...seen, strangers: new Set(strangers.keys()), found: ownIn(backend, listing, stated) };
  } catch (error) {
    if (!isStorageError(error)) throw error;
    problems.push(problemOf("setup", error));
  }
  return { problems, ...seen };
}

/** Judges what stands on a backend that was inspected. Changes nothing; what goes wrong is part of the answer. */
export async function examine(
  backend: Backend,
  { problems, identity, stats, strangers, found }: Inspection,
  knowledge: Knowledge,
  signal?: AbortSignal,
): Promise<Examination> {
  // Nothing was ever made on storage without an identity; without an owner nothing carries a mark.
  const isJudged = found !== null && identity !== null && backend.owner !== "" && strangers.size === 0;
  if (!isJudged) return { problems, identity, stats, judgement: null };
  try {
    const judgement = await backend.exclusive("look for orphans", signal, async (locked) =>
      judge(await gather(backend, locked), knowledge),
    );
    return { problems, identity, stats, judgement };
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return { problems: [...problems, problemOf("listing", error)], identity, stats, judgement: null };
  }
}

async function problemOfTarget(backend: Backend): Promise<readonly Problem[]> {
  try {
    await backend.targetReady();
    return [];
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return [problemOf("target", error)];
  }
}

function problemOf(check: Problem["check"], { reason, nextStep }: StorageError): Problem {
  return { check, reason, nextStep: nextStep ?? null };
}

type Listing = Awaited<ReturnType<Backend["listing"]>>;

/** What is here of an object: its record, an attachment's volume's, or what is left of a damaged one. */
function recordOf(listing: Listing, id: string): { readonly owner: string | null } | undefined {
  return (
    listing.volumes.get(id) ??
    listing.snapshots.get(id) ??
    listing.volumeOfAttachment(id) ??
    listing.damaged.get(id)
  );
}

function ownIn(backend: Backend, listing: Listing, { idsOf }: StatedObjects): ReadonlySet<string> {
  const ids = [...idsOf.values()].flatMap((stated) => [...stated]);
  return new Set(ids.filter((id) => recordOf(listing, id)?.owner === backend.owner));
}

/**
 * By their names, states that cannot tell what is nobody's here: made with other storage, or another owner's. Then nothing
 * is called an orphan.
 */
function strangersIn(
  backend: Backend,
  listing: Listing,
  { identities, idsOf }: StatedObjects,
): ReadonlyMap<string, Problem> {
  const problems = new Map<string, Problem>();
  for (const [state, expected] of identities) {
    const [other] = [...expected].filter((identity) => identity !== listing.identity);
    if (other === undefined) continue;
    problems.set(state, {
      check: "states",
      reason: `${state} was made with the storage ${other}, and ${listing.identity === null ? "this storage has no identity" : `this is ${listing.identity}`}: nothing here is judged`,
      nextStep: "Mount or import the right storage, correct the backend's settings, or give the right state",
    });
  }
  for (const [state, ids] of idsOf) {
    const stranger = [...ids]
      .map((id) => recordOf(listing, id)?.owner ?? null)
      .find((owner) => owner !== null && owner !== backend.owner);
    if (stranger === undefined || stranger === null || problems.has(state)) continue;
    const whose = stranger === "" ? "made without an owner" : `of owner "${stranger}"`;
    problems.set(state, {
      check: "states",
      reason: `${state} holds objects ${whose}, and the owner here is "${backend.owner}": nothing here is judged`,
      nextStep: `Give that owner's states with --owner, or this owner's states`,
    });
  }
  return problems;
}

function shortages(stats: VolumeStats): readonly Problem[] {
  const pools = stats.pools ?? [{ ...stats, pool_name: "" }];
  return pools.flatMap((pool): Problem[] => {
    const name = pool.pool_name === "" ? "the storage" : `pool ${pool.pool_name}`;
    const used = usedPercent(pool);
    const metadata = pool.metadata_percent;
    return [
      ...(used !== undefined && used >= nearlyFull.data
        ? [
            {
              check: "space" as const,
              reason: `${name} is nearly full: ${used.toFixed(1)} % of its space is used`,
              nextStep:
                "Extend it, or delete what is not needed: thin volumes stop taking writes when it is full",
            },
          ]
        : []),
      ...(metadata !== undefined && metadata >= nearlyFull.metadata
        ? [
            {
              check: "space" as const,
              reason: `${metadata.toFixed(1)} % of the metadata space of ${name} is used`,
              nextStep: "Extend it (lvextend --poolmetadatasize): a thin pool without any left fails",
            },
          ]
        : []),
    ];
  });
}

/** Only where volumes grow into space that they do not have yet does a full pool harm what is there. */
function usedPercent(pool: Omit<PoolStats, "pool_name">): number | undefined {
  if (pool.thin_provisioning_support !== true) return undefined;
  if (pool.data_percent !== undefined) return pool.data_percent;
  const { total_capacity_gb: total, free_capacity_gb: free } = pool;
  if (typeof total !== "number" || typeof free !== "number" || total <= 0) return undefined;
  return (1 - free / total) * 100;
}
