import type { PrivateData } from "../../../resources/schema/index.ts";
import { parseJsonObject } from "../values/json.ts";

const nothing = new Uint8Array(0);

/** What an engine keeps for us beside a plan: a JSON object, or no bytes for an empty one. */
export function encodePrivateData(data: PrivateData): Uint8Array {
  return Object.keys(data).length === 0 ? nothing : Buffer.from(JSON.stringify(data));
}

export function decodePrivateData(bytes: Uint8Array): PrivateData {
  return bytes.length === 0 ? {} : (parseJsonObject(bytes) ?? {});
}
