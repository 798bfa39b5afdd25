import { isUuid } from "../../src/backend/index.ts";
import type { Validator } from "../schema/index.ts";

/** What a volume or snapshot may be called. Never a UUID, so that an import can tell a name from an id. */
export const objectName: Validator<string> = {
  description:
    "begin with a letter or digit, go on with letters, digits, `_`, `.` and `-`, have at most 63 characters, and not be a UUID",
  check(value) {
    if (isUuid(value.toLowerCase())) return `A name must not be a UUID, as ${quoted(value)} is.`;
    if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(value)) return undefined;
    return `A name must begin with a letter or digit, go on with letters, digits, "_", "." and "-", and have at most 63 characters; ${quoted(value)} does not.`;
  },
};

/** What generated names may begin with: room is left for the generated part. */
export const objectNamePrefix: Validator<string> = {
  description: "be the beginning of a valid name, of at most 54 characters",
  check: (value) =>
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,53}$/.test(value)
      ? undefined
      : `A name prefix must begin with a letter or digit, go on with letters, digits, "_", "." and "-", and have at most 54 characters; ${quoted(value)} does not.`,
};

/** What a host or backend may be called. */
export const configurationName: Validator<string> = {
  description:
    "begin with a letter or digit, go on with letters, digits, `_`, `.` and `-`, and have at most 63 characters",
  check: (value) =>
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(value)
      ? undefined
      : `It must begin with a letter or digit, go on with letters, digits, "_", "." and "-", and have at most 63 characters; ${quoted(value)} does not.`,
};

/** Quotes for a message: control characters visible, long texts shortened. */
function quoted(text: string): string {
  const shown = text.length > 80 ? `${text.slice(0, 77)}… (${text.length} characters)` : text;
  return JSON.stringify(shown);
}
