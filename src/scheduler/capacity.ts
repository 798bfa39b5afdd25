import type { Capacity } from "../contract/index.ts";
import type { ExtraSpecs } from "./extra-specs.ts";

/** What decides whether a pool has room; the fields are those of its stats. Capacities in GiB. */
export interface CapacityStats {
  readonly total_capacity_gb?: Capacity | null | undefined;
  readonly free_capacity_gb?: Capacity | null | undefined;
  /** What all volumes could grow to together; nothing where it is left out. */
  readonly provisioned_capacity_gb?: number | null | undefined;
  /** 0 to 100; nothing is reserved where it is left out. */
  readonly reserved_percentage?: number | null | undefined;
  /** 1, which is none, where it is left out. */
  readonly max_over_subscription_ratio?: number | "auto" | null | undefined;
  readonly thin_provisioning_support?: boolean | null | undefined;
}

/** What is asked of a pool. */
export interface CapacityRequest {
  /** The volume's size when all is done, in GiB. */
  readonly size_gb: number;
  /** Its size before, where it is there already and grows: only the difference is charged. */
  readonly existing_gb?: number | undefined;
  /** Of these only `provisioning:type` counts here. */
  readonly extra_specs?: ExtraSpecs | undefined;
}

export interface Fit {
  readonly fits: boolean;
  /** Why it does not fit, in words; null where it does. */
  readonly reason: string | null;
}

/** How much more a pool can promise: GiB, or without a limit, or nothing at all for a reason. */
export type Room =
  | { readonly kind: "bounded"; readonly gib: number; readonly account: string }
  | { readonly kind: "unbounded" }
  | { readonly kind: "none"; readonly reason: string };

const provisioningKey = "provisioning:type";

/** With the ratio `auto`, for as long as nothing is provisioned. */
const initialAutoRatio = 20;

/** Whether a pool has room for a new volume, or for the growth of one that is there. docs/scheduler.md has the formulas. */
export function fits(stats: CapacityStats, request: CapacityRequest): Fit {
  const wanted = chargeOf(request);
  if (Number.isNaN(wanted)) return { fits: false, reason: "the size is not a number" };
  if (wanted <= 0) return { fits: true, reason: null };
  const room = roomOf(stats, request.extra_specs);
  if (room.kind === "unbounded") return { fits: true, reason: null };
  if (room.kind === "none") return { fits: false, reason: room.reason };
  if (room.gib >= wanted) return { fits: true, reason: null };
  return {
    fits: false,
    reason: `${shown(wanted)} GiB are needed, and ${shownDown(Math.max(room.gib, 0))} GiB can be given: ${room.account}`,
  };
}

/** What a request adds to what is provisioned, in GiB. Never less than nothing. */
export function chargeOf(request: CapacityRequest): number {
  return rounded(Math.max(request.size_gb - (request.existing_gb ?? 0), 0));
}

/** Whether a volume of such a request would be thin in such a pool. */
export function isThin(stats: CapacityStats, extraSpecs: ExtraSpecs | undefined): boolean {
  return stats.thin_provisioning_support === true && provisioningOf(extraSpecs) !== "thick";
}

/** The kind of provisioning that is required, if any. */
export function provisioningOf(extraSpecs: ExtraSpecs | undefined): string | undefined {
  return extraSpecs?.[provisioningKey]?.trim().toLowerCase();
}

/** How much a pool can still promise to volumes with these extra specs. */
export function roomOf(stats: CapacityStats, extraSpecs: ExtraSpecs | undefined): Room {
  const { free_capacity_gb: free, total_capacity_gb: total = "unknown" } = stats;
  if (free === undefined || free === null) return none("it reports no free capacity");
  if (free === "unknown" || free === "infinite") return { kind: "unbounded" };
  const reservedPercentage = stats.reserved_percentage ?? 0;
  const provisioned = stats.provisioned_capacity_gb ?? 0;
  const measured = [free, reservedPercentage, provisioned, typeof total === "number" ? total : 0];
  if (!measured.every(Number.isFinite)) return none("its capacity is not given in numbers");
  if (reservedPercentage < 0 || reservedPercentage > 100) {
    return none(`its reserved_percentage is ${reservedPercentage}, and must be between 0 and 100`);
  }
  const thin = isThin(stats, extraSpecs);
  if (typeof total !== "number") {
    if (reservedPercentage > 0) {
      return none(`${reservedPercentage} % of its capacity are reserved, and its total capacity is ${total}`);
    }
    if (total === "infinite" && thin) return { kind: "unbounded" };
    return bounded(free, `${shown(free)} GiB are free`);
  }
  const reserved = Math.floor((total * reservedPercentage) / 100);
  if (!thin) {
    return bounded(
      Math.min(total - reserved - provisioned, free),
      `of ${shown(total)} GiB, ${shown(reserved)} are reserved and ${shown(provisioned)} provisioned; ${shown(free)} are free`,
    );
  }
  const ratio = ratioOf(stats, { provisioned, used: Math.max(total - free, 0) });
  if (!(ratio >= 1)) return none(`its max_over_subscription_ratio is ${ratio}, and must not be below 1`);
  return bounded(
    (total - reserved) * ratio - provisioned,
    `of ${shown(total)} GiB, ${shown(reserved)} are reserved, the rest counts ${shown(ratio)} times, and ${shown(provisioned)} are provisioned`,
  );
}

function ratioOf(
  stats: CapacityStats,
  measured: { readonly provisioned: number; readonly used: number },
): number {
  const ratio = stats.max_over_subscription_ratio ?? 1;
  if (ratio !== "auto") return ratio;
  return measured.provisioned === 0 ? initialAutoRatio : 1 + measured.provisioned / (measured.used + 1);
}

function bounded(gib: number, account: string): Room {
  return { kind: "bounded", gib: rounded(gib), account };
}

/** To a byte or so: 100 GiB times 1.15 are 115, whatever binary fractions make of it. */
function rounded(gib: number): number {
  return Math.round(gib * 1e9) / 1e9;
}

function none(reason: string): Room {
  return { kind: "none", reason };
}

/** Room that is not quite enough must not look as if it were. */
function shownDown(gib: number): string {
  return String(Math.floor(rounded(gib * 100)) / 100);
}

function shown(gib: number): string {
  return String(Math.round(gib * 100) / 100);
}
