import type { ObjectRecord } from "../contract/index.ts";
import { newToken } from "./migration-marks.ts";

/**
 * The run that makes an object, among the object's settings on the host. Whoever goes on with what a run left enters itself;
 * the run before, should it be alive after all, then neither finishes nor removes it. docs/adr/0021 tells why.
 */
const runKey = "run";

export function newRun(): string {
  return newToken();
}

export function withRun(settings: ObjectRecord["settings"], run: string): ObjectRecord["settings"] {
  return { ...settings, [runKey]: run };
}

/** As users know them. */
export function withoutRun(settings: ObjectRecord["settings"]): ObjectRecord["settings"] {
  const { [runKey]: _, ...others } = settings;
  return others;
}

/** What was written before there were runs in records is made by none. */
export function isMadeBy({ settings }: Pick<ObjectRecord, "settings">, run: string): boolean {
  return settings[runKey] === run;
}
