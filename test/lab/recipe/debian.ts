import { chmodSync } from "node:fs";
import { execute } from "../execute.ts";
import { aptSources } from "./apt-sources.ts";
import { suite } from "./packages.ts";

/**
 * Unpacks Debian's essential packages and `packages`, with what these depend on, into the directory `root`, without
 * running their maintainer scripts.
 */
export async function unpackPackages(root: string, packages: readonly string[]): Promise<void> {
  // Others than root must be able to enter what becomes a root directory.
  chmodSync(root, 0o755);
  const excluded = ["doc", "man", "locale", "info"].map(
    (name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`,
  );
  await execute(
    "mmdebstrap",
    [
      ...["--quiet", "--mode=root", "--variant=extract", "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr"],
      ...['--aptopt=APT::Install-Recommends "false"', ...excluded],
      ...["--include=?essential", `--include=${packages.join(",")}`, suite, root, "-"],
    ],
    { input: await aptSources() },
  );
}
