import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type CapacityStats, fits } from "./capacity.ts";
import { evaluate } from "./expression/evaluate.ts";
import { matchesExtraSpec } from "./extra-specs.ts";

const text = readFileSync(new URL("../../docs/scheduler.md", import.meta.url), "utf8");

/** The rows of all tables whose header begins with these columns. */
function rowsUnder(...columns: readonly string[]): readonly string[][] {
  const header = `| ${columns.join(" | ")} |`;
  const [, ...tables] = text.split(header);
  return tables.flatMap((after) => {
    const [table = ""] = after.split("\n\n");
    const lines = table.split("\n").slice(2);
    return lines.map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll("\\|", "|")),
    );
  });
}

function code(cell = ""): string {
  const [, inside] = /^`(.*)`$/s.exec(cell) ?? [];
  if (inside === undefined) throw new Error(`${cell} is no code`);
  return inside;
}

const variables = {
  volume: { size: 10 },
  stats: { free_capacity_gb: 40, total_capacity_gb: 100 },
  capabilities: { total_volumes: 4, multiattach: true },
  extra: { tier: "gold", level: "5", "provisioning:type": "thin" },
  qos: {},
};

/** As the tables have it: a value as code, or an error's message. */
function shown(expression: string): string {
  try {
    return `\`${evaluate(expression, variables)}\``;
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
}

describe("docs/scheduler.md is right about", () => {
  const expressions = [...rowsUnder("expression", "gives"), ...rowsUnder("expression", "here", "Cinder")];
  it("as many expressions as it has", () => expect(expressions).toHaveLength(43));

  it.each(expressions)("%s", (expression, result) => {
    expect(shown(code(expression))).toBe(result);
  });

  const requirements = rowsUnder("capability", "requirement", "met");
  it("as many requirements as it has", () => expect(requirements).toHaveLength(19));

  it.each(requirements)("%s, required %s", (capability, requirement, met) => {
    expect(matchesExtraSpec(JSON.parse(code(capability)), code(requirement)) ? "yes" : "no").toBe(met);
  });

  const capacities = rowsUnder(
    "total",
    "free",
    "provisioned",
    "reserved %",
    "ratio",
    "kind",
    "asked",
    "fits",
  );
  it("as many pools as it has", () => expect(capacities).toHaveLength(22));

  it.each(capacities)("%s GiB, %s free, %s provisioned, %s %% reserved, ratio %s, %s: %s", (...cells) => {
    const [total = "", free = "", provisioned, reserved, ratio = "", kind, asked, answer] = cells;
    const stats: CapacityStats = {
      total_capacity_gb: capacity(total),
      free_capacity_gb: capacity(free),
      provisioned_capacity_gb: Number(provisioned),
      reserved_percentage: Number(reserved),
      max_over_subscription_ratio: ratio === "–" ? undefined : ratio === "auto" ? ratio : Number(ratio),
      thin_provisioning_support: kind === "thin",
    };
    expect(fits(stats, { size_gb: Number(asked), extra_specs: {} }).fits ? "yes" : "no").toBe(answer);
  });
});

function capacity(cell: string): CapacityStats["total_capacity_gb"] {
  if (cell === "–") return undefined;
  return cell === "unknown" || cell === "infinite" ? cell : Number(cell);
}
