import type { ImageSource } from "../contract/index.ts";
import { cloneScript, keepScript } from "./cache-scripts.ts";
import { type Filling, fillingJob, hostFailure, runStep, script } from "./filling.ts";
import { stagingLimit } from "./inspect.ts";
import { exitCodes } from "./scripts.ts";

/** IMG-1. Takes an image that the host keeps already; `false`: it does not, or not as it was. */
export async function cloneImage(filling: Filling): Promise<boolean> {
  const { cache, target, volumeId, sizeBytes } = filling;
  const key = cacheKey(filling.image);
  if (cache === null || key === undefined) return false;
  const job = fillingJob("clone", volumeId, target.jobsDirectory);
  const argv = script(
    cloneScript,
    ...[cache.directory, key, target.stagingDirectory, volumeId, String(stagingLimit(sizeBytes))],
  );
  const { exitCode, stdout, stderr } = await runStep(filling, { ...job, argv });
  tell(filling, stdout);
  if (exitCode === 0) return true;
  if (exitCode === exitCodes.notCached) return false;
  throw hostFailure(filling.host, filling.action, stderr);
}

/** Keeps an image that was proven for volumes to come. That it cannot be kept fails nothing. */
export async function keepImage(filling: Filling): Promise<void> {
  const { cache, target, volumeId } = filling;
  const key = cacheKey(filling.image);
  if (cache === null || key === undefined) return;
  const job = fillingJob("keep", volumeId, target.jobsDirectory);
  const argv = script(
    keepScript,
    ...[cache.directory, key, target.stagingDirectory, volumeId, String(cache.maxBytes)],
  );
  const { exitCode, stdout, stderr } = await runStep(filling, { ...job, argv });
  tell(filling, exitCode === 0 ? stdout : `not kept in the image cache: ${stderr}`);
}

function tell({ onNews }: Filling, lines: string): void {
  for (const line of lines.split("\n").filter((text) => text.trim() !== "")) onNews(line.trim());
}

/** What tells an image in the cache from others; `undefined` where nothing says what its bytes are to be. */
function cacheKey({ checksum, compression }: ImageSource): string | undefined {
  return checksum === null ? undefined : `${checksum.algorithm}-${checksum.digest}-${compression ?? "plain"}`;
}
