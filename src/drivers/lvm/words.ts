import type { CommandResult } from "../../contract/index.ts";
import { exitCodes } from "./scripts.ts";

/** What a failed command said, on one line; LVM's warnings only where there is nothing else. */
export function wordsOf(result: CommandResult): string {
  const lines = result.stderr
    .toString("utf8")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const failures = lines.filter((line) => !line.startsWith("WARNING:") && !line.startsWith("Run `"));
  const words = (failures.length > 0 ? failures : lines).join("; ");
  return words === "" ? `the command ended with exit code ${result.exitCode}` : words;
}

/** Parts of LVM's own messages, and what there is to do about them. */
const advice: readonly (readonly [RegExp, string])[] = [
  [/^Volume group "[^"]*" not found/, "Make sure that its disks are attached, and that its name is right."],
  [
    /insufficient free space|Insufficient (suitable allocatable )?(free|extents)/i,
    "Free space in the volume group, or give it another disk with vgextend.",
  ],
  [
    /exceeds maximum metadata size|metadata .* too large/i,
    "See pvcreate(8), --metadatasize: the metadata area is made with the physical volume.",
  ],
  [
    /free space in (thin )?pool .*(threshold|too low)|out of (data|metadata) space|out of free data space/i,
    "Extend the thin pool with lvextend, its metadata with lvextend --poolmetadatasize.",
  ],
];

export function adviceFor(exitCode: number, words: string): string | undefined {
  if (exitCode === exitCodes.inUse) {
    return "Take away what uses it first: a mount, a target, a mapping on top of it.";
  }
  if (exitCode === exitCodes.hasSnapshots) return "Delete its snapshots first.";
  return advice.find(([pattern]) => pattern.test(words))?.[1];
}
