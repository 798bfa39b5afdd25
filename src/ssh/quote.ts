import type { Argument } from "../contract/index.ts";
import { StorageError } from "../contract/index.ts";

const apostrophe = 0x27;
const escapedApostrophe = Buffer.from("'\\''");
const plain = /^[A-Za-z0-9_@%+=:,./-]+$/;

/**
 * `argument` as one word of a POSIX shell script, byte for byte. The only place where arguments become script.
 *
 * @throws StorageError `InvalidInput` where it holds a NUL byte, which no argument can.
 */
export function quote(argument: Argument): Buffer {
  const bytes = typeof argument === "string" ? Buffer.from(argument) : Buffer.from(argument);
  if (bytes.includes(0)) {
    throw new StorageError({
      kind: "InvalidInput",
      action: "pass an argument to a command",
      reason: `the argument ${JSON.stringify(shorten(bytes.toString(), 60))} holds a NUL byte`,
    });
  }
  const parts: Buffer[] = [Buffer.from("'")];
  let start = 0;
  for (let end = bytes.indexOf(apostrophe); end >= 0; end = bytes.indexOf(apostrophe, start)) {
    parts.push(bytes.subarray(start, end), escapedApostrophe);
    start = end + 1;
  }
  parts.push(bytes.subarray(start), Buffer.from("'"));
  return Buffer.concat(parts);
}

/** `argv` as words of a POSIX shell script. */
export function quoteAll(argv: readonly Argument[]): Buffer {
  const parts: Buffer[] = [];
  for (const argument of argv) parts.push(quote(argument), Buffer.from(" "));
  return Buffer.concat(parts.slice(0, -1));
}

/** `argv` for a message: quoted where needed, on one line, at most 300 characters, `secrets` masked. */
export function displayCommand(argv: readonly Argument[], secrets: readonly string[] = []): string {
  const words = argv.map((argument) => {
    const text = mask(typeof argument === "string" ? argument : Buffer.from(argument).toString(), secrets);
    return plain.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
  });
  return shorten(words.join(" ").replaceAll(/[\n\r\t]/g, " "), 300);
}

/** `text` with every one of `secrets` replaced. */
export function mask(text: string, secrets: readonly string[]): string {
  let masked = text;
  for (const secret of secrets) if (secret !== "") masked = masked.replaceAll(secret, "***");
  return masked;
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
