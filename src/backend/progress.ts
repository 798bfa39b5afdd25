import type { DebugLog } from "../ssh/index.ts";

/** Where a backend reports what it does, and what somebody who waits wants to know. */
export interface BackendLog extends DebugLog {
  info(message: string): void;
}

export const silentBackendLog: BackendLog = { debug() {}, info() {} };

/** What ends sooner needs no telling; and no two lines of one stage are told within less. Milliseconds. */
const quietMs = 3_000;
/** While nobody knows how much there is to do. Milliseconds. */
const blindMs = 30_000;

const mebibyte = 1024 ** 2;

/**
 * Takes the lines in which long work tells how far it has come: to the debug log all of them, for who waits one now and then,
 * per stage of the work one every few seconds at most and per tenth of the whole.
 *
 * @param action what the work is, a verb phrase that names what it is done to
 */
export function progressTeller(
  log: BackendLog,
  action: string,
  now: () => number = Date.now,
): (line: string) => void {
  const began = now();
  let told: { readonly stage: string; readonly at: number; readonly tenths: number } | undefined;
  return (line) => {
    log.debug("progress", { action, progress: line });
    const at = now();
    if (at - began < quietMs) return;
    const tenths = tenthsOf(line);
    const stage = line.replace(/\d+/g, "");
    if (told?.stage === stage) {
      if (at - told.at < (tenths === undefined ? blindMs : quietMs)) return;
      if (tenths !== undefined && tenths <= told.tenths) return;
    }
    told = { stage, at, tenths: tenths ?? 0 };
    log.info(`${action}: ${readable(line)}`);
  };
}

/** `COUNT of COUNT bytes`, or as qemu-img tells it, `(PERCENT/100%)`. */
function tenthsOf(line: string): number | undefined {
  const counts = /(\d+) of (\d+) bytes/.exec(line);
  if (counts !== null) return Math.floor((10 * Number(counts[1])) / Number(counts[2]));
  const percent = percentOf(line);
  return percent === undefined ? undefined : Math.floor(percent / 10);
}

function percentOf(line: string): number | undefined {
  const found = /^\(([\d.]+)\/100%\)$/.exec(line)?.[1];
  return found === undefined ? undefined : Number(found);
}

function readable(line: string): string {
  const percent = percentOf(line);
  if (percent !== undefined) return `${Math.floor(percent)} %`;
  const inMebibytes = (bytes: string): string => String(Math.floor(Number(bytes) / mebibyte));
  return line.replace(/(\d+)( of (\d+))? bytes/, (_, done: string, of: string | undefined, total: string) =>
    of === undefined ? `${inMebibytes(done)} MiB` : `${inMebibytes(done)} of ${inMebibytes(total)} MiB`,
  );
}
