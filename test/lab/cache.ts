import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { holdingLock } from "../support/process-lock.ts";

const buildDeadlineMs = 1_200_000;
const unusedForMs = 7 * 24 * 3_600_000;
const abandonedAfterMs = 3_600_000;

/** Where the lab keeps what it builds: `$XDG_CACHE_HOME/breezeblock-lab` or `~/.cache/breezeblock-lab`. */
export function cacheDirectory(): string {
  const directory = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "breezeblock-lab");
  mkdirSync(directory, { recursive: true });
  return directory;
}

/** A directory of the cache: its name says what it was made from. */
export interface CacheEntry {
  /** What it is, such as `image`. */
  readonly kind: string;
  /** Hash of all that decides its contents. */
  readonly key: string;
  /** Files of it without which it is broken and made again. */
  readonly files: readonly string[];
  /** Fills the empty directory, which is renamed once it is complete. */
  make(directory: string): Promise<void>;
}

/**
 * The directory of `entry`, made first unless it is there and whole. One process makes it while others wait.
 * Entries that nobody has asked for in a week are removed.
 */
export async function cached(entry: CacheEntry): Promise<string> {
  const cache = cacheDirectory();
  const directory = join(cache, `${entry.kind}-${entry.key}`);
  if (!isWhole(directory, entry)) {
    const lock = join(cache, `${entry.kind}.lock`);
    await holdingLock(
      lock,
      `The building of the lab's ${entry.kind} by another process`,
      buildDeadlineMs,
      async () => {
        if (!isWhole(directory, entry)) await make(directory, entry);
        removeUnused(cache, directory);
      },
    );
  }
  const now = new Date();
  utimesSync(directory, now, now);
  return directory;
}

async function make(directory: string, entry: CacheEntry): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  // Not the name of an earlier attempt: what that started may still be writing there.
  const building = mkdtempSync(`${directory}.building-`);
  try {
    await entry.make(building);
    renameSync(building, directory);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}

function isWhole(directory: string, { files }: CacheEntry): boolean {
  return files.every((file) => (statSync(join(directory, file), { throwIfNoEntry: false })?.size ?? 0) > 0);
}

function removeUnused(cache: string, except: string): void {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    if (path === except || !/^(image|kernel)-/.test(name)) continue;
    const keptForMs = name.includes(".building-") ? abandonedAfterMs : unusedForMs;
    const usedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (usedAt < Date.now() - keptForMs) rmSync(path, { recursive: true, force: true });
  }
}

/** Hash of files (a directory counts with all below it, and with names and modes) and words. */
export function hashOf(paths: readonly string[], words: readonly string[] = []): string {
  const hash = createHash("sha256");
  for (const word of words) hash.update(`${word}\0`);
  for (const path of paths) addToHash(hash, path);
  return hash.digest("hex").slice(0, 16);
}

function addToHash(hash: ReturnType<typeof createHash>, path: string): void {
  if (!existsSync(path)) throw new Error(`${path} is not there.`);
  if (statSync(path).isDirectory()) {
    for (const name of readdirSync(path).sort()) {
      hash.update(`${name}\0`);
      addToHash(hash, join(path, name));
    }
  } else {
    hash.update(readFileSync(path));
  }
}
