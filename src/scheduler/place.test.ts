import { describe, expect, it } from "vitest";
import { charge, place, placeSet } from "./place.ts";
import type { Candidate, CandidateStats, PlacementRequest } from "./request.ts";

function candidate(
  backend: string,
  stats: CandidateStats = {},
  more: Partial<Omit<Candidate, "backend" | "stats">> = {},
): Candidate {
  return {
    backend,
    pool: null,
    availability_zone: null,
    stats: { total_capacity_gb: 100, free_capacity_gb: 100, ...stats },
    ...more,
  };
}

function request(size_gb: number, more: Partial<PlacementRequest> = {}): PlacementRequest {
  return { size_gb, extra_specs: {}, ...more };
}

const thin = { thin_provisioning_support: true, thick_provisioning_support: false } as const;

function names(candidates: readonly { readonly candidate: Candidate }[]): string[] {
  return candidates.map(({ candidate: { backend } }) => backend);
}

describe("filters", () => {
  const rejections: readonly (readonly [string, Candidate, PlacementRequest, string])[] = [
    [
      "a backend whose check failed, before anything else",
      candidate("a", { free_capacity_gb: 0 }, { uninitialized: "the host did not answer" }),
      request(1, { availability_zone: "z2" }),
      "the host did not answer",
    ],
    [
      "another availability zone, before capacity",
      candidate("a", { free_capacity_gb: 0 }, { availability_zone: "z1" }),
      request(1, { availability_zone: "z2" }),
      'it is in availability zone "z1", and "z2" is asked for',
    ],
    [
      "no availability zone",
      candidate("a"),
      request(1, { availability_zone: "z2" }),
      'it is in no availability zone, and "z2" is asked for',
    ],
    [
      "too little room, before capabilities",
      candidate("a", { free_capacity_gb: 10 }),
      request(11, { extra_specs: { multiattach: "<is> True" } }),
      "11 GiB are needed, and 10 GiB can be given: of 100 GiB, 0 are reserved and 0 provisioned; 10 are free",
    ],
    [
      "a capability that it lacks, before its filter function",
      candidate("a", { filter_function: "false" }),
      request(1, { extra_specs: { "capabilities:multiattach": "<is> True" } }),
      'multiattach is false, and "<is> True" is required',
    ],
    [
      "no thick volumes",
      candidate("a", thin),
      request(1, { extra_specs: { "provisioning:type": "thick" } }),
      "it makes no thick volumes",
    ],
    [
      "no thin volumes",
      candidate("a", { thin_provisioning_support: false }),
      request(1, { extra_specs: { "provisioning:type": "thin" } }),
      "it makes no thin volumes",
    ],
    [
      "its filter function, before hints",
      candidate("a", { filter_function: "volume.size < 5" }),
      request(5, { hints: { different_backend: ["a"] } }),
      "its filter_function excludes it: volume.size < 5",
    ],
    [
      "a filter function in error",
      candidate("a", { filter_function: "volume.size < limit" }),
      request(5),
      'its filter_function cannot be worked out: column 15: unknown name "limit"; text stands in quotes: volume.size < limit',
    ],
    [
      "a filter function that gives text",
      candidate("a", { filter_function: "'False'" }),
      request(5),
      "its filter_function cannot be worked out: column 1: the string \"False\" is neither true nor false: 'False'",
    ],
    [
      "a filter function that gives 0",
      candidate("a", { filter_function: "1 - 1" }),
      request(5),
      "its filter_function excludes it: 1 - 1",
    ],
    [
      "affinity",
      candidate("a"),
      request(1, { hints: { same_backend: ["b"] } }),
      'the volume must be on the same backend as another, on "b"',
    ],
    [
      "affinity to two backends",
      candidate("a"),
      request(1, { hints: { same_backend: ["a", "b", "b"] } }),
      'the volume must be on the same backend as another, on "b"',
    ],
    [
      "anti-affinity",
      candidate("a"),
      request(1, { hints: { different_backend: ["b", "a"] } }),
      "the volume must be on another backend than one that is here",
    ],
  ];

  it.each(rejections)("leave out: %s", (_, one, asked, reason) => {
    expect(place(asked, [one])).toEqual({ ranked: [], rejected: [{ backend: "a", pool: null, reason }] });
  });

  const passing: readonly (readonly [string, Candidate, PlacementRequest])[] = [
    ["any zone where none is asked for", candidate("a", {}, { availability_zone: "z1" }), request(1)],
    [
      "the zone asked for",
      candidate("a", {}, { availability_zone: "z1" }),
      request(1, { availability_zone: "z1" }),
    ],
    [
      "what is assumed of one that does not say",
      candidate("a"),
      request(1, { extra_specs: { online_extend_support: "<is> True", multiattach: "<is> False" } }),
    ],
    [
      "a true filter function",
      candidate("a", {
        filter_function: "capabilities.total_volumes < 3 and stats.host == 'a'",
        total_volumes: 2,
      }),
      request(1),
    ],
    ["a filter function that gives a number", candidate("a", { filter_function: "volume.size" }), request(1)],
    [
      "a filter function over everything that there is",
      candidate("a", {
        filter_function:
          "extra['a:tier'] == 'gold' and qos.iops > 10 and volume.name == 'db' and stats.reserved_percentage == 0",
      }),
      request(1, { extra_specs: { "a:tier": "gold" }, qos: { iops: 20 }, volume: { name: "db" } }),
    ],
    ["affinity", candidate("a"), request(1, { hints: { same_backend: ["a"] } })],
    ["anti-affinity to others", candidate("a"), request(1, { hints: { different_backend: ["b"] } })],
    ["empty hints", candidate("a"), request(1, { hints: { same_backend: [], different_backend: [] } })],
  ];

  it.each(passing)("let pass: %s", (_, one, asked) => {
    expect(names(place(asked, [one]).ranked)).toEqual(["a"]);
  });

  it("look only at the backend and pool that a request names", () => {
    const pools = [
      candidate("a", {}, { pool: "p1" }),
      candidate("a", {}, { pool: "p2" }),
      candidate("b"),
      candidate("c", { free_capacity_gb: 0 }),
    ];
    const found = place(request(1, { backend: "a", pool: "p2" }), pools);
    expect(found.ranked.map((one) => one.candidate)).toEqual([pools[1]]);
    expect(found.rejected).toEqual([]);
    expect(names(place(request(1, { backend: "a" }), pools).ranked)).toEqual(["a", "a"]);
    expect(place(request(1, { backend: "c" }), pools).rejected).toHaveLength(1);
  });
});

describe("weighers", () => {
  it("prefer what has most room, thin by what it can promise", () => {
    const { ranked } = place(request(10), [
      candidate("small", { free_capacity_gb: 50 }),
      candidate("large", { free_capacity_gb: 100 }),
      // 100 * 2 - 50 = 150
      candidate("thin", {
        ...thin,
        free_capacity_gb: 20,
        provisioned_capacity_gb: 50,
        max_over_subscription_ratio: 2,
      }),
    ]);
    expect(ranked.map((one) => [one.candidate.backend, one.room_gb, one.weight])).toEqual([
      ["thin", 150, 1],
      ["large", 100, 0.5],
      ["small", 50, 0],
    ]);
  });

  it("add goodness, normalized over the candidates too", () => {
    const { ranked } = place(request(10), [
      candidate("a", { free_capacity_gb: 60, goodness_function: "80" }),
      candidate("b", { free_capacity_gb: 100, goodness_function: "20" }),
      candidate("c", { free_capacity_gb: 20, goodness_function: "volume.size < 20" }),
    ]);
    // Capacity 0.5, 1, 0; goodness (80 - 20) / 80 = 0.75, 0, 1.
    expect(
      ranked.map((one) => [one.candidate.backend, one.capacity_weight, one.goodness, one.goodness_weight]),
    ).toEqual([
      ["a", 0.5, 80, 0.75],
      ["b", 1, 20, 0],
      ["c", 0, 100, 1],
    ]);
    expect(ranked.map(({ weight }) => weight)).toEqual([1.25, 1, 1]);
  });

  it.each([
    ["true", 100, null],
    ["false", 0, null],
    ["0", 0, null],
    ["100", 100, null],
    ["volume.size * 2.5", 25, null],
    ["100.5", 0, "goodness_function gives 100.5, which is not between 0 and 100: 100.5"],
    ["-1", 0, "goodness_function gives -1, which is not between 0 and 100: -1"],
    ["'good'", 0, `goodness_function gives "good", which is not between 0 and 100: 'good'`],
    ["1 / 0", 0, "goodness_function cannot be worked out: column 3: division by zero: 1 / 0"],
    [
      "(",
      0,
      "goodness_function cannot be worked out: column 2: a value was expected, but there is nothing more: (",
    ],
  ])("goodness %s is %d", (goodness_function, goodness, goodness_problem) => {
    const [one] = place(request(10), [candidate("a", { goodness_function })]).ranked;
    expect(one).toMatchObject({ goodness, goodness_problem });
  });

  it.each([
    ["positive", { capacity: 1 }, ["large", "small", "infinite", "unknown"]],
    ["negative", { capacity: -1 }, ["small", "large", "infinite", "unknown"]],
    ["zero", { capacity: 0 }, ["infinite", "large", "small", "unknown"]],
  ])("put what is unknown or infinite last: %s multiplier", (_, multipliers, order) => {
    const candidates = [
      candidate("unknown", { free_capacity_gb: "unknown" }),
      candidate("small", { free_capacity_gb: 20 }),
      candidate("infinite", { total_capacity_gb: "infinite", free_capacity_gb: "infinite" }),
      candidate("large"),
    ];
    expect(names(place(request(10), candidates, { multipliers }).ranked)).toEqual(order);
  });

  it("put what has an infinite total last, however much is free", () => {
    const candidates = [
      candidate("a", { total_capacity_gb: "infinite", free_capacity_gb: 1000 }),
      candidate("b"),
    ];
    expect(names(place(request(10), candidates).ranked)).toEqual(["b", "a"]);
  });

  it("count by their multipliers", () => {
    const candidates = [
      candidate("good", { free_capacity_gb: 20, goodness_function: "true" }),
      candidate("large", { goodness_function: "false" }),
    ];
    const first = (multipliers: { capacity?: number; goodness?: number }) =>
      names(place(request(1), candidates, { multipliers }).ranked)[0];
    expect(first({ capacity: 2 })).toBe("large");
    expect(first({ goodness: 2 })).toBe("good");
    expect(first({ goodness: -1 })).toBe("large");
    expect(first({ capacity: 0 })).toBe("good");
  });

  it("leave what is equal to the names, whatever the order given", () => {
    const pools = [
      candidate("b", {}, { pool: "x" }),
      candidate("a", {}, { pool: "y" }),
      candidate("a", {}, { pool: "x" }),
    ];
    const order = (candidates: readonly Candidate[]) =>
      place(request(1), candidates).ranked.map((one) => `${one.candidate.backend}#${one.candidate.pool}`);
    expect(order(pools)).toEqual(["a#x", "a#y", "b#x"]);
    expect(order([...pools].reverse())).toEqual(["a#x", "a#y", "b#x"]);
  });

  it("weigh nothing against itself", () => {
    expect(place(request(1), [candidate("a")]).ranked).toMatchObject([{ weight: 0, room_gb: 100 }]);
    expect(place(request(1), [])).toEqual({ ranked: [], rejected: [] });
  });
});

describe("charging", () => {
  it.each([
    [
      "thick",
      { provisioned_capacity_gb: 5, total_volumes: 1 },
      request(10),
      { provisioned_capacity_gb: 15, free_capacity_gb: 90, total_volumes: 2 },
    ],
    [
      "thin",
      { ...thin, provisioned_capacity_gb: 5 },
      request(10),
      { provisioned_capacity_gb: 15, free_capacity_gb: 100 },
    ],
    [
      "thick, required of a thin pool",
      { thin_provisioning_support: true },
      request(10, { extra_specs: { "provisioning:type": "thick" } }),
      { provisioned_capacity_gb: 10, free_capacity_gb: 90 },
    ],
    [
      "growth",
      { total_volumes: 1 },
      request(10, { existing_gb: 4 }),
      { provisioned_capacity_gb: 6, free_capacity_gb: 94, total_volumes: 1 },
    ],
    [
      "no growth",
      { provisioned_capacity_gb: 3 },
      request(10, { existing_gb: 12 }),
      { provisioned_capacity_gb: 3, free_capacity_gb: 100 },
    ],
    [
      "unknown free",
      { free_capacity_gb: "unknown" },
      request(10),
      { provisioned_capacity_gb: 10, free_capacity_gb: "unknown" },
    ],
  ] satisfies [string, CandidateStats, PlacementRequest, CandidateStats][])(
    "%s",
    (_, stats, asked, after) => {
      const before = candidate("a", stats);
      const kept = structuredClone(before);
      expect(charge(before, asked)).toEqual({ ...before, stats: { ...before.stats, ...after } });
      expect(before).toEqual(kept);
    },
  );
});

describe("a set", () => {
  it("is decided in its order, each volume counting for the next", () => {
    const decided = placeSet(
      [request(30), request(30), request(30), request(30), request(15), request(30)],
      [candidate("a", { free_capacity_gb: 70 }), candidate("b", { free_capacity_gb: 75 })],
    );
    // b 75, a 70, b 45, a 40; then a 10 and b 15, where 15 fits in b and 30 nowhere.
    expect(decided.map(({ chosen }) => chosen?.backend ?? null)).toEqual(["b", "a", "b", "a", "b", null]);
    expect(decided[5]?.rejected).toEqual([
      {
        backend: "a",
        pool: null,
        reason:
          "30 GiB are needed, and 10 GiB can be given: of 100 GiB, 0 are reserved and 60 provisioned; 10 are free",
      },
      {
        backend: "b",
        pool: null,
        reason:
          "30 GiB are needed, and 0 GiB can be given: of 100 GiB, 0 are reserved and 75 provisioned; 0 are free",
      },
    ]);
  });

  it("does not over-commit a thin pool, even for the sum", () => {
    const pool = candidate("a", { ...thin, max_over_subscription_ratio: 1.5, reserved_percentage: 10 });
    // (100 - 10) * 1.5 = 135
    const decided = placeSet(
      Array.from({ length: 20 }, () => request(10)),
      [pool],
    );
    expect(decided.filter(({ chosen }) => chosen !== null)).toHaveLength(13);
  });

  it("counts growth where the volume is", () => {
    const decided = placeSet(
      [request(60, { backend: "a", existing_gb: 20 }), request(61), request(60)],
      [candidate("a"), candidate("b", { free_capacity_gb: 60 })],
    );
    expect(decided.map(({ chosen }) => chosen?.backend ?? null)).toEqual(["a", null, "a"]);
  });

  it("goes on after a volume that fits nowhere", () => {
    const decided = placeSet([request(101), request(100)], [candidate("a")]);
    expect(decided.map(({ chosen }) => chosen?.backend ?? null)).toEqual([null, "a"]);
  });

  it("sees the volumes before it in filter functions", () => {
    const decided = placeSet(
      [request(1), request(1), request(1)],
      [candidate("a", { total_volumes: 0, filter_function: "capabilities.total_volumes < 2" })],
    );
    expect(decided.map(({ chosen }) => chosen?.backend ?? null)).toEqual(["a", "a", null]);
  });
});
