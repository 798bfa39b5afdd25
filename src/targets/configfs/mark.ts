import type { ExportMark, LockedContext, VolumeRecord } from "../../contract/index.ts";

/** The line `mark` of a record: the backend's identity and the owner, each without blanks. Empty where there is no owner. */
export function formatMark({ owner }: VolumeRecord, { fresh }: LockedContext): string {
  if (owner === "" || fresh.identity === null) return "";
  return [fresh.identity, owner].map((text) => Buffer.from(text).toString("base64url")).join(" ");
}

/** Its inverse; `null` for what is none. */
export function parseMark(text: string): ExportMark | null {
  const [identity = "", owner = ""] = text
    .split(" ")
    .map((word) => Buffer.from(word, "base64url").toString());
  return identity === "" || owner === "" ? null : { identity, owner };
}
