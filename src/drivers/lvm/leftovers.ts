import type { Leftover } from "../../contract/index.ts";
import type { Listing } from "./listing.ts";
import { parseLogicalVolumeName, type Role } from "./names.ts";
import { ownerTagOf } from "./tags.ts";

const descriptions: Readonly<Partial<Record<Role, string>>> = {
  extension: "space that a volume was to grow onto",
  source: "the snapshot that a copy was made from",
};

/** What objects needed for a while. One that was renamed belongs to nothing any more, and is left alone. */
export function helpersIn({ helpers }: Listing): readonly Leftover[] {
  return [...helpers.values()].flatMap(({ name, tags, time }): Leftover[] => {
    const parsed = parseLogicalVolumeName(name);
    const description = parsed === undefined ? undefined : descriptions[parsed.role];
    if (parsed === undefined || description === undefined) return [];
    return [
      {
        kind: "helper",
        name,
        objectId: parsed.id,
        owner: ownerTagOf(tags),
        description,
        writtenAt: writtenAt(time),
      },
    ];
  });
}

/** `lv_time`, in seconds. */
function writtenAt(time: string): number | null {
  const seconds = Number(time);
  return seconds > 0 ? seconds * 1000 : null;
}
