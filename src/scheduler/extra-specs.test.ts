import { describe, expect, it } from "vitest";
import { matchesExtraSpec, matchesExtraSpecs } from "./extra-specs.ts";

describe("what a requirement takes", () => {
  const rows: readonly (readonly [value: unknown, requirement: string, matches: boolean])[] = [
    // A bare text
    ["fast", "fast", true],
    ["fast", "slow", false],
    ["fast", "Fast", false],
    ["fast", "fas", false],
    ["two words", "two words", true],
    ["two words", "two", false],
    ["", "", true],
    ["", "1", false],
    ["1", "", false],
    [12, "12", true],
    [12, "12.0", false],
    [1.5, "1.5", true],
    [true, "True", true],
    [true, "true", true],
    [false, "False", true],
    [true, "False", false],
    [true, "1", false],
    ["True", "true", false],
    // No operators of ours
    ["4", "> 2", false],
    ["> 2", "> 2", true],
    ["4", "< 5", false],
    ["5", "=5", false],
    ["=5", "=5", true],
    ["5", ">=5", false],
    ["a", "<IS> a", false],
    // At least
    [124, "= 123", true],
    [123, "= 123", true],
    [122, "= 123", false],
    ["124", "= 123", true],
    ["9", "= 10", false],
    [10.5, "= 10.25", true],
    [-1, "= -2", true],
    [true, "= 1", true],
    ["many", "= 1", false],
    [5, "= many", false],
    ["", "= 0", false],
    // Numbers
    [5, "== 5", true],
    ["5", "== 5.0", true],
    [5, "== 6", false],
    ["five", "== 5", false],
    [5, "!= 6", true],
    [5, "!= 5", false],
    ["five", "!= 5", false],
    [10, ">= 9", true],
    ["10", ">= 9", true],
    [9, ">= 9", true],
    [8, ">= 9", false],
    [2, "<= 10", true],
    [10, "<= 10", true],
    ["3", "<= 2", false],
    ["infinite", ">= 1", false],
    [5, "  ==   5  ", true],
    [0.3, "== 0.3", true],
    ["1e3", "== 1000", true],
    ["0x10", "== 16", false],
    [Number.NaN, "!= 5", false],
    [Number.POSITIVE_INFINITY, ">= 5", true],
    // Strings
    ["abc", "s== abc", true],
    ["abc", "s== abd", false],
    ["Acme Storage", "s== Acme Storage", true],
    ["123", "s== 123.0", false],
    [123, "s== 123", true],
    ["abc", "s!= abd", true],
    ["abc", "s!= abc", false],
    ["2", "s< 21", true],
    ["10", "s< 9", true],
    ["b", "s< b", false],
    ["b", "s<= b", true],
    ["c", "s<= b", false],
    ["c", "s> b", true],
    ["b", "s> b", false],
    ["b", "s>= b", true],
    ["2", "s>= 12", true],
    ["a", "s>= b", false],
    // A part of a text
    ["12311321", "<in> 11", true],
    ["12311321", "<in> 12311321", true],
    ["12310321", "<in> 11", false],
    ["iSCSI", "<in> SCSI", true],
    ["iSCSI", "<in> scsi", false],
    ["Acme Storage Mk 2", "<in> Storage Mk", true],
    [12345, "<in> 34", true],
    // Truth
    [true, "<is> True", true],
    [true, "<is> true", true],
    [true, "<is> yes", true],
    [true, "<is> False", false],
    [false, "<is> False", true],
    [false, "<is> True", false],
    ["True", "<is> True", true],
    ["on", "<is> 1", true],
    ["off", "<is> True", false],
    ["nonsense", "<is> False", true],
    [1, "<is> True", true],
    [0, "<is> False", true],
    // Any of
    ["12", "<or> 11 <or> 12", true],
    ["11", "<or> 11 <or> 12", true],
    ["13", "<or> 11 <or> 12", false],
    ["12", "<or> 11 <or> 12 <or>", true],
    [12, "<or> 11 <or> 12", true],
    ["iSCSI", "<or> iSCSI", true],
    ["two words", "<or> one <or> two words", true],
    ["two words", "<or> one\t<or>  two words ", true],
    ["two", "<or> one <or> two words", false],
    ["11 <or> 12", "<or> 11 <or> 12", false],
    ["a<or>b", "<or> a<or>b <or> c", true],
    [true, "<or> False <or> True", true],
    ["", "<or> <or>", false],
    // Operators without an operand take nothing
    [5, "=", false],
    [5, "!=", false],
    ["", "s==", false],
    ["a", "s!=", false],
    ["a", "<in>", false],
    [false, "<is>", false],
    ["", "<or>", false],
    // What is not there
    [undefined, "a", false],
    [null, "", false],
    [undefined, "!= 5", false],
    [undefined, "s!= a", false],
    [undefined, "<is> False", false],
    [{ a: 1 }, "a", false],
    // Any item of a list
    [["iSCSI", "nvmet_tcp"], "nvmet_tcp", true],
    [["iSCSI", "nvmet_tcp"], "nfs", false],
    [["iSCSI", "nvmet_tcp"], "<in> nvm", true],
    [["iSCSI", "nvmet_tcp"], "<or> nfs <or> iSCSI", true],
    [[1, 5, 3], ">= 5", true],
    [[1, 5, 3], ">= 6", false],
    [[true, false], "<is> False", true],
    [["a", "b"], "s!= a", true],
    [[], "<is> False", false],
    [[null, "a"], "a", true],
  ];

  it.each(rows)("%j meets %j: %s", (value, requirement, matches) => {
    expect(matchesExtraSpec(value, requirement)).toBe(matches);
  });
});

it("takes no longer for what is long", () => {
  const long = " ".repeat(200_000);
  expect(matchesExtraSpec("a", `<or>${long}b${long}<o>${long}`)).toBe(false);
  expect(matchesExtraSpec("a", `s==${long}a${long}`)).toBe(true);
  expect(matchesExtraSpec(`${"1".repeat(200_000)}x`, "== 1")).toBe(false);
});

describe("a set of extra specs", () => {
  const capabilities = {
    multiattach: true,
    storage_protocol: "iSCSI",
    tiers: ["gold", "silver"],
    nested: { compression: { kind: "zstd" } },
  };

  it.each([
    [{}],
    [{ storage_protocol: "iSCSI" }],
    [{ "capabilities:storage_protocol": "iSCSI" }],
    [{ "capabilities:multiattach": "<is> True", storage_protocol: "<or> nfs <or> iSCSI" }],
    [{ tiers: "silver" }],
    [{ "capabilities:nested:compression:kind": "s== zstd" }],
    [{ "provisioning:type": "thick", "other:multiattach": "<is> False" }],
  ])("%j is met", (specs) => {
    expect(matchesExtraSpecs(capabilities, specs)).toEqual({ matches: true, reason: null });
  });

  it.each([
    [{ storage_protocol: "nfs" }, 'storage_protocol is "iSCSI", and "nfs" is required'],
    [
      { storage_protocol: "iSCSI", "capabilities:multiattach": "<is> False" },
      'multiattach is true, and "<is> False" is required',
    ],
    [{ replication: "<is> True" }, 'replication is not reported, and "<is> True" is required'],
    [
      { "capabilities:replication": "<is> False" },
      'replication is not reported, and "<is> False" is required',
    ],
    [{ tiers: "bronze" }, 'tiers is ["gold","silver"], and "bronze" is required'],
    [{ "capabilities:tiers:0": "gold" }, 'tiers:0 is not reported, and "gold" is required'],
    [{ "capabilities:nested:none:kind": "x" }, 'nested:none:kind is not reported, and "x" is required'],
    [{ constructor: "<in> Object" }, 'constructor is not reported, and "<in> Object" is required'],
  ])("%j is not met", (specs, reason) => {
    expect(matchesExtraSpecs(capabilities, specs)).toEqual({ matches: false, reason });
  });
});
