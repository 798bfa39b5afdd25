import type { Logger } from "../../resources/schema/index.ts";

const levels = ["trace", "debug", "info", "warn", "error"] as const;
type Level = (typeof levels)[number];

/**
 * Writes log lines as HashiCorp's hclog reads them from a plugin's standard error: one JSON object a line.
 * `environment` says from which level on: `TF_LOG_PROVIDER`, else `TF_LOG`, else nothing but errors.
 */
export function createLogger(
  environment: NodeJS.ProcessEnv,
  write: (line: string) => void = writeToStandardError,
): Logger {
  const threshold = thresholdOf(environment["TF_LOG_PROVIDER"] || environment["TF_LOG"] || "error");
  return {
    log: (level, message, fields = {}) => {
      if (levels.indexOf(level) < threshold) return;
      write(`${formatLine(level, message, fields)}\n`);
    },
  };
}

/** As the engines read it: `OFF` is nothing; `JSON`, and any word that is no level, everything. */
function thresholdOf(setting: string): number {
  const word = setting.toLowerCase();
  return word === "off" ? levels.length : Math.max(levels.indexOf(word as Level), 0);
}

function formatLine(level: Level, message: string, fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({
    "@level": level,
    "@message": message,
    "@module": "provider.breezeblock",
    // hclog reads microseconds and nothing else.
    "@timestamp": new Date().toISOString().replace("Z", "000Z"),
    ...fields,
  });
}

let guarded = false;

/** When the engine is gone there is nobody to log to, and no reason to fail for it. */
function writeToStandardError(line: string): void {
  if (!guarded) process.stderr.on("error", () => undefined);
  guarded = true;
  process.stderr.write(line);
}
