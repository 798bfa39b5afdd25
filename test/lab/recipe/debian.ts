import { chmodSync } from "node:fs";
import { execute } from "../execute.ts";
import { aptSources } from "./apt-sources.ts";
import { backports, suite } from "./packages.ts";

/**
 * Unpacks Debian's essential packages and `packages`, with what these depend on, into the directory `root`, without
 * running their maintainer scripts. Those of `backports` come with what only these have of their dependencies.
 */
export async function unpackPackages(
  root: string,
  packages: readonly string[],
  backported: readonly string[] = [],
): Promise<void> {
  // Others than root must be able to enter what becomes a root directory.
  chmodSync(root, 0o755);
  const excluded = ["doc", "man", "locale", "info"].map(
    (name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`,
  );
  const included = [...packages, ...backported.map((name) => `${name}/${backports}`)];
  await execute(
    "mmdebstrap",
    [
      ...["--quiet", "--mode=root", "--variant=extract", "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr"],
      ...['--aptopt=APT::Install-Recommends "false"', ...excluded],
      ...["--include=?essential", `--include=${included.join(",")}`, suite, root, "-"],
    ],
    { input: await aptSources(backported.length > 0 ? [backports] : []) },
  );
}
