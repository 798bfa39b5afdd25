import type { Argument } from "../contract/index.ts";
/**
 * `argument` as one word of a POSIX shell script, byte for byte. The only place where arguments become script.
 *
 * @throws StorageError `InvalidInput` where it holds a NUL byte, which no argument can.
 */
export declare function quote(argument: Argument): Buffer;
/** `argv` as words of a POSIX shell script. */
export declare function quoteAll(argv: readonly Argument[]): Buffer;
/** `argv` for a message: quoted where needed, on one line, at most 300 characters, `secrets` masked. */
export declare function displayCommand(argv: readonly Argument[], secrets?: readonly string[]): string;
/** `text` with every one of `secrets` replaced. */
export declare function mask(text: string, secrets: readonly string[]): string;
