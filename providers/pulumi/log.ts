import type { Logger } from "../../resources/schema/index.ts";

const levels = ["trace", "debug", "info", "warn", "error"] as const;
type Level = (typeof levels)[number];

/**
 * Logs as JSON lines on stderr, from the level in `BREEZEBLOCK_LOG` on; without it, nothing. Pulumi shows what a provider
 * writes there.
 */
export function stderrLogger(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Logger {
  const wanted = levels.indexOf((environment["BREEZEBLOCK_LOG"] ?? "").toLowerCase() as Level);
  return {
    log(level, message, fields) {
      if (wanted === -1 || levels.indexOf(level) < wanted) return;
      process.stderr.write(
        `${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`,
      );
    },
  };
}
