// Plain JavaScript without dependencies: it runs before anything is installed, on Node 20 too.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The commands of the installed packages: the pinned node first of all. */
export const binDirectory = (root) => join(root, "node_modules", ".bin");

/** Installs what package-lock.json asks for unless it is there already; says so in one line. */
export function setUp(root) {
  if (!isInstalled(root)) install(root);
}

/**
 * Compares the lock file with the one that npm leaves in node_modules once an installation is complete.
 * What is optional may be missing, because it is for another platform or could not be built.
 */
export function isInstalled(root) {
  const installedFile = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installedFile) || !existsSync(join(binDirectory(root), "node"))) return false;
  const wanted = readPackages(join(root, "package-lock.json"));
  const installed = readPackages(installedFile);
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true;
    const there = installed[path];
    if (there === undefined) return entry.optional === true || entry.devOptional === true;
    return there.version === entry.version && there.integrity === entry.integrity;
  });
}

function readPackages(file) {
  return JSON.parse(readFileSync(file, "utf8")).packages;
}

function install(root) {
  console.error("Setting up: npm ci (once, a minute or so) …");
  // Not with the node in node_modules, which npm is about to replace.
  const path = process.env.PATH.split(delimiter).filter(
    (entry) => !entry.endsWith(join("node_modules", ".bin")),
  );
  const result = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    env: { ...process.env, PATH: path.join(delimiter) },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.status === 0 && isInstalled(root)) return;
  console.error(result.stdout ?? "", result.stderr ?? "", result.error?.message ?? "");
  console.error(
    result.status === 0
      ? "Set-up failed: npm ci left packages out. Are install scripts turned off (npm config get ignore-scripts)?"
      : "Set-up failed: npm ci did not succeed; its own words stand above.",
  );
  process.exit(1);
}
