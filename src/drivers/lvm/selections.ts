import type { LogicalVolume } from "./report.ts";
import { isOurs } from "./tags.ts";

/** Criteria for LVM's `-S`, by which it proves itself what it is about to change; see lvmreport(7). */

/** The logical volume that was listed, whatever its tags are by now. */
export function isSame({ uuid }: LogicalVolume): string {
  return `lv_uuid="${uuid}"`;
}

/** Still the logical volume that was listed, with the same tags of ours; other people's tags do not matter. */
export function unchanged(volume: LogicalVolume): string {
  return `lv_uuid="${volume.uuid}" && ${tagged(volume.tags.filter(isOurs))}`;
}

/**
 * The same, and not the origin of a copy-on-write snapshot, which would go with it. Whether it is open is for `lvremove`:
 * it refuses that itself, after it has waited for those who only take a look, as udev does.
 */
export function removable(volume: LogicalVolume): string {
  return `${unchanged(volume)} && lv_attr=~"^[-Vs]"`;
}

/** The same, and neither open nor the origin of a copy-on-write snapshot. */
export function unused(volume: LogicalVolume): string {
  return `${unchanged(volume)} && lv_attr=~"^[-Vs]....-"`;
}

/** A linear or thin logical volume that is still the one that was listed, by whatever name, and that nothing has open. */
export function adoptable({ uuid }: LogicalVolume): string {
  return `lv_uuid="${uuid}" && lv_attr=~"^[-V]....-"`;
}

/** The same, and not open, whether it has copy-on-write snapshots or not. */
export function closed(volume: LogicalVolume): string {
  return `${unchanged(volume)} && lv_attr=~"^[-VoO]....-"`;
}

/** Its record is as it was listed; the phase, which has a tag of its own, may be another by now. */
export function recorded({ uuid, tags }: LogicalVolume): string {
  return `lv_uuid="${uuid}" && ${tagged(tags.filter((tag) => /^bb\.\d+=/.test(tag)))}`;
}

/** Carrying all these tags. */
export function tagged(tags: readonly string[]): string {
  return `lv_tags={${tags.map((tag) => `"${tag}"`).join(" && ")}}`;
}
