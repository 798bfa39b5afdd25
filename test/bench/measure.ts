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

/**
 * Goes through the same steps in two ways, in turns step by step, and compares the medians of each step. Each round begins
 * anew; a first one, which does not count, warms up what is made once.
 *
 * @param steps what each step is, in their order
 */
export async function compareSteps<Step extends string>(
  labels: Pick<Comparison, "ours" | "baseline">,
  steps: Readonly<Record<Step, string>>,
  rounds: number,
  begin: (round: number) => Record<"ours" | "baseline", Readonly<Record<Step, () => Promise<unknown>>>>,
): Promise<readonly Comparison[]> {
  const measured = (Object.keys(steps) as Step[]).map((step) => ({
    step,
    ours: [] as number[],
    baseline: [] as number[],
  }));
  for (let round = 0; round <= rounds; round++) {
    const { ours, baseline } = begin(round);
    for (const times of measured) {
      const baselineMs = await timed(baseline[times.step]);
      const oursMs = await timed(ours[times.step]);
      if (round === 0) continue;
      times.baseline.push(baselineMs);
      times.ours.push(oursMs);
    }
  }
  return measured.map(({ step, ours, baseline }) => ({
    ...{ ...labels, what: steps[step] },
    ...{ oursMs: median(ours), baselineMs: median(baseline) },
  }));
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
