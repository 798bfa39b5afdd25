import type { Argument } from "../contract/index.ts";
/**
 * What is written into a remote `sh`: its set-up, once, and then one frame a command.
 *
 * Everything is one `{ … }` group: a shell that gets only the first part of it (the connection broke) finds the
 * closing brace missing and runs nothing at all, rather than a command with half its arguments.
 *
 * Descriptors: 7 and 8 are the channel's stdout and stderr, 6 the lock (9 in commands), 2 goes nowhere, so that the shell's own remarks
 * ("Killed") do not end up in a command's output.
 */
/** How the shell's builtin that writes raw bytes is called; `none`: there is no such builtin. */
export type ByteWriter = "printf" | "print" | "none";
/** Where a command's standard input comes from. */
export type FrameInput = {
    readonly from: "nothing";
} | {
    readonly from: "frame";
    readonly data: Uint8Array;
    readonly writer: ByteWriter;
}
/** What follows the frame on the channel; the shell ends with the command. */
 | {
    readonly from: "channel";
};
/** Prints `nonce` when the privilege is there, then becomes the shell that reads frames. */
export declare function bootstrap(nonce: string): string;
/** Prepares the shell, then prints `<nonce><byte writer>[ <missing tool>]...`. */
export declare function setUpScript(nonce: string): Buffer;
/**
 * Runs `argv` between markers: on stdout `<nonce>b<its line of /proc/<pid>/stat>`, its output,
 * `<nonce>e<exit status> <1 where its process group is still alive>`; on stderr the same without the values.
 *
 * @param lock whether the command inherits the shell's lock, as descriptor 9.
 * @throws StorageError `InvalidInput` where an argument holds a NUL byte.
 */
export declare function commandFrame(nonce: string, argv: readonly Argument[], input: FrameInput, lock: boolean): Buffer;
/** Opens the lock file as descriptor 6 of the shell itself. Between markers as a command is. */
export declare function openLockFrame(nonce: string, file: Argument): Buffer;
/** Closes descriptor 6, and with it the lock unless a command still has it. */
export declare function closeLockFrame(nonce: string): Buffer;
