import { readFileSync } from "node:fs";
import { execute } from "../execute.ts";
import { architecture, suite } from "./packages.ts";

const defaultSources = [
  ["http://deb.debian.org/debian", suite],
  ["http://deb.debian.org/debian-security", `${suite}-security`],
] as const;

/**
 * Where guests' packages come from, as lines of sources.list: the mirrors that this machine uses itself
 * where it runs Debian (of any release), otherwise Debian's own. @param moreSuites releases besides the guests' own
 */
export async function aptSources(moreSuites: readonly string[] = []): Promise<string> {
  const mirrors = await debianMirrors();
  const own = mirrors.length > 0 ? mirrors : defaultSources;
  const archives = own.filter(([, release]) => release === suite);
  const more = archives.flatMap(([uri]) => moreSuites.map((release) => [uri, release] as const));
  return [...own, ...more]
    .map(([uri, release]) => `deb [arch=${architecture}] ${uri} ${release} main\n`)
    .join("");
}

/** This machine's Debian archives, with its own release's name changed to the guests'. */
async function debianMirrors(): Promise<(readonly [uri: string, release: string])[]> {
  const { ID: id, VERSION_CODENAME: codename } = osRelease();
  if (id !== "debian" || codename === undefined) return [];
  const format = "$(REPO_URI) $(RELEASE) $(COMPONENT)";
  const targets = await execute("apt-get", ["indextargets", "--format", format, "Created-By: Packages"]);
  const releases = [codename, `${codename}-updates`, `${codename}-security`];
  return targets
    .split("\n")
    .map((line) => line.split(" "))
    .flatMap(([uri = "", release = "", component]) =>
      component === "main" && releases.includes(release)
        ? [[uri, release.replace(codename, suite)] as const]
        : [],
    );
}

function osRelease(): Record<string, string | undefined> {
  const lines = readFileSync("/etc/os-release", "utf8").matchAll(/^(\w+)="?([^"\n]*)"?$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
}
