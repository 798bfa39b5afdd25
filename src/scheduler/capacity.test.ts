import { describe, expect, it } from "vitest";
import { type CapacityRequest, type CapacityStats, fits } from "./capacity.ts";

const thick = { total_capacity_gb: 500, free_capacity_gb: 200 } satisfies CapacityStats;
const thin = {
  total_capacity_gb: 500,
  free_capacity_gb: 200,
  provisioned_capacity_gb: 500,
  max_over_subscription_ratio: 2,
  thin_provisioning_support: true,
} satisfies CapacityStats;
const thickSpec = { "provisioning:type": "thick" };

type Row = readonly [
  what: string,
  stats: CapacityStats,
  request: Partial<CapacityRequest> & { size_gb: number },
];

const fitting: readonly Row[] = [
  ["thick: less than is free", thick, { size_gb: 100 }],
  ["thick: all that is free", thick, { size_gb: 200 }],
  [
    "thick: all but what is reserved",
    { ...thick, free_capacity_gb: 500, reserved_percentage: 20 },
    { size_gb: 400 },
  ],
  // floor(99 * 10 %) = 9
  [
    "thick: a reservation rounded down",
    { total_capacity_gb: 99, free_capacity_gb: 99, reserved_percentage: 10 },
    { size_gb: 90 },
  ],
  // 29 % of 100 are 29, though 100 * 0.29 is a little less in binary
  [
    "thick: a reservation of whole percents",
    { total_capacity_gb: 100, free_capacity_gb: 100, reserved_percentage: 29 },
    { size_gb: 71 },
  ],
  [
    "thick: all but what is provisioned",
    { total_capacity_gb: 500, free_capacity_gb: 500, provisioned_capacity_gb: 450 },
    { size_gb: 50 },
  ],
  ["thick: the ratio does not matter", { ...thick, max_over_subscription_ratio: 0.5 }, { size_gb: 200 }],
  [
    "thick: total infinite, within what is free",
    { total_capacity_gb: "infinite", free_capacity_gb: 200 },
    { size_gb: 200 },
  ],
  [
    "thick: total unknown, within what is free",
    { total_capacity_gb: "unknown", free_capacity_gb: 200 },
    { size_gb: 200 },
  ],
  ["thick: total not reported, within what is free", { free_capacity_gb: 200 }, { size_gb: 200 }],
  [
    "thick required of a thin pool, within what is free",
    { ...thin, provisioned_capacity_gb: 0 },
    { size_gb: 200, extra_specs: thickSpec },
  ],
  [
    "thick required in other letters",
    { ...thin, provisioned_capacity_gb: 0 },
    { size_gb: 200, extra_specs: { "provisioning:type": " Thick " } },
  ],
  ["a fraction of a GiB", { total_capacity_gb: 1, free_capacity_gb: 0.5 }, { size_gb: 0.5 }],
  // (500 - 0) * 2 - 500 = 500
  ["thin: within the ratio", thin, { size_gb: 499 }],
  ["thin: the ratio exactly", thin, { size_gb: 500 }],
  ["thin: more than is free", thin, { size_gb: 300 }],
  ["thin: although nothing is free", { ...thin, free_capacity_gb: 0 }, { size_gb: 500 }],
  // (500 - 25) * 2 - 500 = 450
  ["thin: with a reservation", { ...thin, reserved_percentage: 5 }, { size_gb: 450 }],
  // (500 - 25) * 20 - 7000 = 2500
  [
    "thin: a large ratio",
    { ...thin, provisioned_capacity_gb: 7000, max_over_subscription_ratio: 20, reserved_percentage: 5 },
    { size_gb: 2500 },
  ],
  [
    "thin: ratio 1 promises what there is",
    { ...thin, provisioned_capacity_gb: 100, max_over_subscription_ratio: 1 },
    { size_gb: 400 },
  ],
  [
    "thin: no ratio is ratio 1",
    { total_capacity_gb: 100, free_capacity_gb: 100, thin_provisioning_support: true },
    { size_gb: 100 },
  ],
  // 100 * 1.15 is 114.99999999999999 in binary
  [
    "thin: a ratio with a binary fraction",
    {
      total_capacity_gb: 100,
      free_capacity_gb: 100,
      max_over_subscription_ratio: 1.15,
      thin_provisioning_support: true,
    },
    { size_gb: 115 },
  ],
  ["thin: nothing provisioned so far", { ...thin, provisioned_capacity_gb: undefined }, { size_gb: 1000 }],
  ["thin required", thin, { size_gb: 500, extra_specs: { "provisioning:type": "thin" } }],
  // 20 while nothing is provisioned: 100 * 20 = 2000
  [
    "auto: nothing provisioned",
    {
      total_capacity_gb: 100,
      free_capacity_gb: 100,
      provisioned_capacity_gb: 0,
      max_over_subscription_ratio: "auto",
      thin_provisioning_support: true,
    },
    { size_gb: 2000 },
  ],
  // 1 + 100 / (49 + 1) = 3; 100 * 3 - 100 = 200
  [
    "auto: by what is used",
    {
      total_capacity_gb: 100,
      free_capacity_gb: 51,
      provisioned_capacity_gb: 100,
      max_over_subscription_ratio: "auto",
      thin_provisioning_support: true,
    },
    { size_gb: 200 },
  ],
  // (100 - 10) * 3 - 100 = 170
  [
    "auto: with a reservation",
    {
      total_capacity_gb: 100,
      free_capacity_gb: 51,
      provisioned_capacity_gb: 100,
      reserved_percentage: 10,
      max_over_subscription_ratio: "auto",
      thin_provisioning_support: true,
    },
    { size_gb: 170 },
  ],
  // Nothing used: 1 + 10 / 1 = 11; 100 * 11 - 10 = 1090
  [
    "auto: nothing used",
    {
      total_capacity_gb: 100,
      free_capacity_gb: 100,
      provisioned_capacity_gb: 10,
      max_over_subscription_ratio: "auto",
      thin_provisioning_support: true,
    },
    { size_gb: 1090 },
  ],
  ["auto does not matter to thick", { ...thick, max_over_subscription_ratio: "auto" }, { size_gb: 200 }],
  ["free unknown", { total_capacity_gb: 100, free_capacity_gb: "unknown" }, { size_gb: 1_000_000 }],
  ["free infinite", { total_capacity_gb: 100, free_capacity_gb: "infinite" }, { size_gb: 1_000_000 }],
  ["both unknown", { total_capacity_gb: "unknown", free_capacity_gb: "unknown" }, { size_gb: 100 }],
  [
    "both infinite",
    { total_capacity_gb: "infinite", free_capacity_gb: "infinite", reserved_percentage: 0 },
    { size_gb: 100 },
  ],
  [
    "free unknown with a reservation",
    { total_capacity_gb: 100, free_capacity_gb: "unknown", reserved_percentage: 50 },
    { size_gb: 100 },
  ],
  [
    "thin: total infinite",
    { total_capacity_gb: "infinite", free_capacity_gb: 10, thin_provisioning_support: true },
    { size_gb: 1000 },
  ],
  ["growth: the difference alone", thick, { size_gb: 700, existing_gb: 500 }],
  ["growth: thin, the difference alone", thin, { size_gb: 1500, existing_gb: 1000 }],
  // 10.3 - 0.1 is 10.200000000000001 in binary
  [
    "growth of what was found as no whole GiB",
    { ...thick, free_capacity_gb: 10.2 },
    { size_gb: 10.3, existing_gb: 0.1 },
  ],
  [
    "growth by nothing, where nothing is left",
    { ...thick, free_capacity_gb: 0 },
    { size_gb: 10, existing_gb: 10 },
  ],
  [
    "growth by nothing, where too much is promised",
    { ...thin, provisioned_capacity_gb: 5000 },
    { size_gb: 10, existing_gb: 10 },
  ],
  ["less than it is found as", { ...thick, free_capacity_gb: 0 }, { size_gb: 10, existing_gb: 10.5 }],
  ["nothing at all", { ...thin, provisioned_capacity_gb: 1500, reserved_percentage: 5 }, { size_gb: 0 }],
];

const refused: readonly (readonly [...Row, reason: string])[] = [
  [
    "thick: more than is free",
    thick,
    { size_gb: 201 },
    "201 GiB are needed, and 200 GiB can be given: of 500 GiB, 0 are reserved and 0 provisioned; 200 are free",
  ],
  // min(500 - 400, 200) = 100
  [
    "thick: more than is not reserved",
    { ...thick, reserved_percentage: 80 },
    { size_gb: 101 },
    "101 GiB are needed, and 100 GiB can be given: of 500 GiB, 400 are reserved and 0 provisioned; 200 are free",
  ],
  [
    "thick: a reservation rounded down",
    { total_capacity_gb: 99, free_capacity_gb: 99, reserved_percentage: 10 },
    { size_gb: 91 },
    "91 GiB are needed, and 90 GiB can be given: of 99 GiB, 9 are reserved and 0 provisioned; 99 are free",
  ],
  [
    "thick: more than is not provisioned",
    { total_capacity_gb: 500, free_capacity_gb: 500, provisioned_capacity_gb: 450 },
    { size_gb: 51 },
    "51 GiB are needed, and 50 GiB can be given: of 500 GiB, 0 are reserved and 450 provisioned; 500 are free",
  ],
  [
    "thick: a little less than is wanted",
    { total_capacity_gb: 100, free_capacity_gb: 0.9961 },
    { size_gb: 1 },
    "1 GiB are needed, and 0.99 GiB can be given: of 100 GiB, 0 are reserved and 0 provisioned; 1 are free",
  ],
  [
    "thick: provisioned beyond what is there",
    { total_capacity_gb: 100, free_capacity_gb: 50, provisioned_capacity_gb: 150 },
    { size_gb: 1 },
    "1 GiB are needed, and 0 GiB can be given: of 100 GiB, 0 are reserved and 150 provisioned; 50 are free",
  ],
  [
    "thick: no ratio helps",
    { ...thick, max_over_subscription_ratio: 20 },
    { size_gb: 201 },
    "201 GiB are needed, and 200 GiB can be given: of 500 GiB, 0 are reserved and 0 provisioned; 200 are free",
  ],
  [
    "thick required of a thin pool",
    { ...thin, provisioned_capacity_gb: 0 },
    { size_gb: 201, extra_specs: thickSpec },
    "201 GiB are needed, and 200 GiB can be given: of 500 GiB, 0 are reserved and 0 provisioned; 200 are free",
  ],
  [
    "thin required of a thick pool",
    { ...thick, max_over_subscription_ratio: 20 },
    { size_gb: 201, extra_specs: { "provisioning:type": "thin" } },
    "201 GiB are needed, and 200 GiB can be given: of 500 GiB, 0 are reserved and 0 provisioned; 200 are free",
  ],
  [
    "everything reserved",
    { ...thick, reserved_percentage: 100 },
    { size_gb: 1 },
    "1 GiB are needed, and 0 GiB can be given: of 500 GiB, 500 are reserved and 0 provisioned; 200 are free",
  ],
  [
    "no capacity at all",
    { total_capacity_gb: 0, free_capacity_gb: 0 },
    { size_gb: 1 },
    "1 GiB are needed, and 0 GiB can be given: of 0 GiB, 0 are reserved and 0 provisioned; 0 are free",
  ],
  [
    "thin: no capacity at all",
    { ...thin, total_capacity_gb: 0, free_capacity_gb: 0, provisioned_capacity_gb: 0 },
    { size_gb: 1 },
    "1 GiB are needed, and 0 GiB can be given: of 0 GiB, 0 are reserved, the rest counts 2 times, and 0 are provisioned",
  ],
  [
    "thin: beyond the ratio",
    thin,
    { size_gb: 501 },
    "501 GiB are needed, and 500 GiB can be given: of 500 GiB, 0 are reserved, the rest counts 2 times, and 500 are provisioned",
  ],
  [
    "thin: with a reservation",
    { ...thin, reserved_percentage: 5 },
    { size_gb: 451 },
    "451 GiB are needed, and 450 GiB can be given: of 500 GiB, 25 are reserved, the rest counts 2 times, and 500 are provisioned",
  ],
  [
    "thin: ratio 1, more than there is",
    { ...thin, provisioned_capacity_gb: 100, max_over_subscription_ratio: 1 },
    { size_gb: 401 },
    "401 GiB are needed, and 400 GiB can be given: of 500 GiB, 0 are reserved, the rest counts 1 times, and 100 are provisioned",
  ],
  [
    "thin: no ratio is ratio 1",
    { total_capacity_gb: 100, free_capacity_gb: 100, thin_provisioning_support: true },
    { size_gb: 101 },
    "101 GiB are needed, and 100 GiB can be given: of 100 GiB, 0 are reserved, the rest counts 1 times, and 0 are provisioned",
  ],
  [
    "thin: a ratio with a binary fraction",
    {
      total_capacity_gb: 100,
      free_capacity_gb: 100,
      max_over_subscription_ratio: 1.15,
      thin_provisioning_support: true,
    },
    { size_gb: 116 },
    "116 GiB are needed, and 115 GiB can be given: of 100 GiB, 0 are reserved, the rest counts 1.15 times, and 0 are provisioned",
  ],
  [
    "thin: too much promised already",
    { ...thin, provisioned_capacity_gb: 1001 },
    { size_gb: 1 },
    "1 GiB are needed, and 0 GiB can be given: of 500 GiB, 0 are reserved, the rest counts 2 times, and 1001 are provisioned",
  ],
  [
    "auto: nothing provisioned",
    { ...thin, provisioned_capacity_gb: 0, max_over_subscription_ratio: "auto" },
    { size_gb: 10_001 },
    "10001 GiB are needed, and 10000 GiB can be given: of 500 GiB, 0 are reserved, the rest counts 20 times, and 0 are provisioned",
  ],
  [
    "auto: by what is used",
    {
      ...thin,
      total_capacity_gb: 100,
      free_capacity_gb: 51,
      provisioned_capacity_gb: 100,
      max_over_subscription_ratio: "auto",
    },
    { size_gb: 201 },
    "201 GiB are needed, and 200 GiB can be given: of 100 GiB, 0 are reserved, the rest counts 3 times, and 100 are provisioned",
  ],
  [
    "a ratio below 1",
    { ...thin, max_over_subscription_ratio: 0.99 },
    { size_gb: 1 },
    "its max_over_subscription_ratio is 0.99, and must not be below 1",
  ],
  [
    "a ratio of nothing",
    { ...thin, max_over_subscription_ratio: 0 },
    { size_gb: 1 },
    "its max_over_subscription_ratio is 0, and must not be below 1",
  ],
  [
    "a ratio that is no number",
    { ...thin, max_over_subscription_ratio: Number.NaN },
    { size_gb: 1 },
    "its max_over_subscription_ratio is NaN, and must not be below 1",
  ],
  ["no free figure", { total_capacity_gb: 500 }, { size_gb: 1 }, "it reports no free capacity"],
  [
    "a free figure of null",
    { total_capacity_gb: 500, free_capacity_gb: null },
    { size_gb: 1 },
    "it reports no free capacity",
  ],
  [
    "thin: no free figure",
    { ...thin, free_capacity_gb: undefined },
    { size_gb: 1 },
    "it reports no free capacity",
  ],
  ["no figures at all", {}, { size_gb: 1 }, "it reports no free capacity"],
  [
    "a free figure that is no number",
    { ...thick, free_capacity_gb: Number.NaN },
    { size_gb: 1 },
    "its capacity is not given in numbers",
  ],
  [
    "a reservation of an unknown total",
    { total_capacity_gb: "unknown", free_capacity_gb: 200, reserved_percentage: 5 },
    { size_gb: 1 },
    "5 % of its capacity are reserved, and its total capacity is unknown",
  ],
  [
    "a reservation of an infinite total",
    { total_capacity_gb: "infinite", free_capacity_gb: 200, reserved_percentage: 5 },
    { size_gb: 1 },
    "5 % of its capacity are reserved, and its total capacity is infinite",
  ],
  [
    "a reservation of no total",
    { free_capacity_gb: 200, reserved_percentage: 5 },
    { size_gb: 1 },
    "5 % of its capacity are reserved, and its total capacity is unknown",
  ],
  [
    "total unknown, more than is free",
    { total_capacity_gb: "unknown", free_capacity_gb: 200 },
    { size_gb: 201 },
    "201 GiB are needed, and 200 GiB can be given: 200 GiB are free",
  ],
  [
    "thin: total unknown, more than is free",
    { ...thin, total_capacity_gb: "unknown" },
    { size_gb: 201 },
    "201 GiB are needed, and 200 GiB can be given: 200 GiB are free",
  ],
  [
    "growth by too much",
    thick,
    { size_gb: 701, existing_gb: 500 },
    "201 GiB are needed, and 200 GiB can be given: of 500 GiB, 0 are reserved and 0 provisioned; 200 are free",
  ],
  [
    "growth: thin, by too much",
    thin,
    { size_gb: 1501, existing_gb: 1000 },
    "501 GiB are needed, and 500 GiB can be given: of 500 GiB, 0 are reserved, the rest counts 2 times, and 500 are provisioned",
  ],
  [
    "a reservation of less than nothing",
    { ...thick, reserved_percentage: -1 },
    { size_gb: 1 },
    "its reserved_percentage is -1, and must be between 0 and 100",
  ],
  [
    "a reservation of more than all",
    { ...thick, reserved_percentage: 101 },
    { size_gb: 1 },
    "its reserved_percentage is 101, and must be between 0 and 100",
  ],
  ["a size that is no number", thick, { size_gb: Number.NaN }, "the size is not a number"],
];

describe("a pool has room", () => {
  it.each(fitting)("%s", (_, stats, request) => {
    expect(fits(stats, request)).toEqual({ fits: true, reason: null });
  });
});

describe("a pool has no room", () => {
  it.each(refused)("%s", (_, stats, request, reason) => {
    expect(fits(stats, request)).toEqual({ fits: false, reason });
  });
});
