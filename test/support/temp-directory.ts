import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A new directory (without symbolic links in its path) that is removed once the running test has ended. */
export function tempDirectory(): string {
  const directory = makeTempDirectory();
  onTestFinished(() => removeDirectory(directory));
  return directory;
}

/** As `tempDirectory`, for hooks and helpers that remove it themselves. */
export function makeTempDirectory(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), "breezeblock-test-")));
}

/** Removes `directory` with everything in it; gone already is fine. */
export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
}
