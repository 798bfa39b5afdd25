import { setTimeout as delay } from "node:timers/promises";
import type { Argument, CommandResult } from "../contract/index.ts";

/** What following needs of a host. */
export interface JobProgressHost {
  run(
    argv: readonly Argument[],
    options: { readonly label: string; readonly signal?: AbortSignal | undefined },
  ): Promise<CommandResult>;
}

/** In milliseconds: soon at first, for who watches; later as seldom as a long job deserves. */
const intervals = { first: 500, longest: 5_000 } as const;
const growth = 1.5;
/** More than a line of progress has. */
const tailBytes = 4_096;

/**
 * Looks now and then at the end of a file, one cheap command each time, and tells its last whole line when that has
 * changed. Returns when `signal` is aborted. What keeps it from looking is passed over: progress is only for show.
 */
export async function followProgress(
  host: JobProgressHost,
  file: string,
  onProgress: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let told: string | undefined;
  for (let interval: number = intervals.first; ; interval = Math.min(interval * growth, intervals.longest)) {
    try {
      await delay(interval, undefined, { signal, ref: false });
      const options = { label: "look at a job's progress", signal };
      const { stdout } = await host.run(["tail", "-c", String(tailBytes), "--", file], options);
      const line = lastLine(stdout.toString("utf8"));
      if (line === undefined || line === told || signal.aborted) continue;
      told = line;
      onProgress(line);
    } catch {
      if (signal.aborted) return;
    }
  }
}

/** The last line that has an end and is not empty. A carriage return ends a line as well. */
export function lastLine(text: string): string | undefined {
  return text
    .split(/[\r\n]/)
    .slice(0, -1)
    .findLast((line) => line.trim() !== "")
    ?.trim();
}
