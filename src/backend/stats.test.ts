import { expect, test } from "vitest";
import { configuredStats } from "./stats.ts";

test("nothing is reserved, and thin space given away twenty times, unless the configuration says otherwise", () => {
  expect(configuredStats({})).toEqual({ reserved_percentage: 0, max_over_subscription_ratio: 20 });
});

test("stats have what the configuration says", () => {
  expect(
    configuredStats({
      reservedPercentage: 5,
      maxOverSubscriptionRatio: "auto",
      filterFunction: "volume.size < 10",
      goodnessFunction: "75",
      availabilityZone: "north",
      labels: { tier: "gold" },
    }),
  ).toEqual({
    reserved_percentage: 5,
    max_over_subscription_ratio: "auto",
    filter_function: "volume.size < 10",
    goodness_function: "75",
    availability_zone: "north",
    labels: { tier: "gold" },
  });
});
