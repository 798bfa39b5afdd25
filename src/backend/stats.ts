import type { PoolStats } from "../contract/index.ts";
import { defaultOverSubscriptionRatio, type PlacementSettings } from "./settings.ts";

/** What the configuration adds to the stats of a backend and of each of its pools. */
export function configuredStats(
  settings: PlacementSettings,
): Omit<PoolStats, "pool_name" | "total_capacity_gb" | "free_capacity_gb"> {
  const { filterFunction, goodnessFunction, availabilityZone, labels = {} } = settings;
  return {
    reserved_percentage: settings.reservedPercentage ?? 0,
    max_over_subscription_ratio: settings.maxOverSubscriptionRatio ?? defaultOverSubscriptionRatio,
    ...(filterFunction === undefined ? {} : { filter_function: filterFunction }),
    ...(goodnessFunction === undefined ? {} : { goodness_function: goodnessFunction }),
    ...(availabilityZone === undefined ? {} : { availability_zone: availabilityZone }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
  };
}
