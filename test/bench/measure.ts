/** Two ways of doing the same, measured in turns in one run: what slows the machine slows both. */
export interface Comparison {
  readonly what: string;
  /** What is divided by what. */
  readonly ours: string;
  readonly baseline: string;
  readonly oursMs: number;
  readonly baselineMs: number;
  /** The largest ratio aimed at, where there is an aim. */
  readonly aim?: number;
}

/** Runs `ours` and `baseline` in turns, `runs` times each, and compares their medians. Each returns milliseconds. */
export async function compare(
  labels: Omit<Comparison, "oursMs" | "baselineMs">,
  runs: number,
  ours: () => Promise<number>,
  baseline: () => Promise<number>,
): Promise<Comparison> {
  const times: { ours: number[]; baseline: number[] } = { ours: [], baseline: [] };
  for (let run = 0; run < runs; run++) {
    times.baseline.push(await baseline());
    times.ours.push(await ours());
  }
  return { ...labels, oursMs: median(times.ours), baselineMs: median(times.baseline) };
}

/** How long `work` takes, in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** A line for the table. */
export function formatComparison(comparison: Comparison): string {
  const { what, ours, baseline, oursMs, baselineMs, aim } = comparison;
  const ratio = oursMs / baselineMs;
  const aimed = aim === undefined ? "" : ` (aim: at most ${aim})`;
  return `${what}: ${ratio.toFixed(2)}${aimed}\n    ${ours}: ${oursMs.toFixed(1)} ms; ${baseline}: ${baselineMs.toFixed(1)} ms`;
}
