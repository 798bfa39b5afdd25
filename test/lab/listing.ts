import { readFileSync } from "node:fs";
import type { Guest } from "./guest.ts";

/** What a host has, section by section, in lines that only change when something does. */
export type Listing = Readonly<Record<string, readonly string[]>>;

const heading = "=== ";

/**
 * Everything on a host that a storage program could leave behind or damage: logical volumes with their tags,
 * mappings, LIO's and nvmet's configuration (as it runs and as it is kept), sessions and connections, node
 * records, mounts, fstab, and checksums of what `plantForeign` wrote. Two listings of an unchanged host are equal.
 */
export async function listingOf(guest: Guest): Promise<Listing> {
  const script = readFileSync(new URL("listing.sh", import.meta.url), "utf8");
  const sections = (await guest.run("sh -s", { input: script })).split(heading).slice(1);
  return Object.fromEntries(
    sections.map((section) => {
      const [name = "", ...lines] = section.split("\n");
      return [name, lines.filter((line) => line !== "").sort()];
    }),
  );
}
