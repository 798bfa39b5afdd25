import type { Argument } from "../contract/index.ts";
import { quote, quoteAll } from "./quote.ts";

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
export type FrameInput =
  | { readonly from: "nothing" }
  | { readonly from: "frame"; readonly data: Uint8Array; readonly writer: ByteWriter }
  /** What follows the frame on the channel; the shell ends with the command. */
  | { readonly from: "channel" };

/** Prints `nonce` when the privilege is there, then becomes the shell that reads frames. */
export function bootstrap(nonce: string): string {
  return `sh -c 'echo ${nonce}; exec sh'`;
}

// The function names in use are taken back first: bash imports functions from the environment.
// The subshell that becomes the command reads its own process id from /proc, because `$$` is the parent's, and hands it to the
// parent by being a command substitution; the command's real output goes around that, through 7 and 8.
const setUp = `
unset -f echo read kill printf print unset cd umask exec set shift command
unset breezeblock_n breezeblock_p breezeblock_r breezeblock_s CDPATH ENV BASH_ENV
cd /; umask 077
LC_ALL=C; PATH="$PATH:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"; export LC_ALL PATH
exec 7>&1 8>&2 2>/dev/null
breezeblock_alive() {
  kill -0 "-$1" || return 1
  for breezeblock_s in /proc/[0-9]*/stat; do
    read -r breezeblock_r <"$breezeblock_s" || continue
    set -- "$1" \${breezeblock_r##*) }
    [ "$4" != "$1" ] || [ "$2" = Z ] || return 0
  done
  return 1
}
breezeblock_run() {
  breezeblock_n=$1; shift
  breezeblock_p=$(
    read -r breezeblock_p breezeblock_r </proc/self/stat
    echo "$breezeblock_p"
    exec >&7 2>&8 7>&- 8>&-
    echo "\${breezeblock_n}b$breezeblock_p $breezeblock_r"
    echo "\${breezeblock_n}b" >&2
    exec setsid -- "$@"
  )
  breezeblock_end $? "$breezeblock_p"
}
breezeblock_end() {
  breezeblock_p=0
  if [ -n "$2" ] && breezeblock_alive "$2"; then breezeblock_p=1; fi
  echo "\${breezeblock_n}e$1 $breezeblock_p" >&7
  echo "\${breezeblock_n}e" >&8
}
breezeblock_p=none
case $(command -v printf) in printf) breezeblock_p=printf;; *)
  case $(command -v print) in print) breezeblock_p=print;; esac;;
esac
for breezeblock_s in setsid flock; do
  command -v "$breezeblock_s" >/dev/null || breezeblock_p="$breezeblock_p $breezeblock_s"
done
[ -r /proc/self/stat ] || breezeblock_p="$breezeblock_p /proc"
`;

/** Prepares the shell, then prints `<nonce><byte writer>[ <missing tool>]...`. */
export function setUpScript(nonce: string): Buffer {
  return Buffer.from(`{${setUp}echo "${nonce}$breezeblock_p"\n}\n`);
}

/**
 * Runs `argv` between markers: on stdout `<nonce>b<its line of /proc/<pid>/stat>`, its output,
 * `<nonce>e<exit status> <1 where its process group is still alive>`; on stderr the same without the values.
 *
 * @param lock whether the command inherits the shell's lock, as descriptor 9.
 * @throws StorageError `InvalidInput` where an argument holds a NUL byte.
 */
export function commandFrame(
  nonce: string,
  argv: readonly Argument[],
  input: FrameInput,
  lock: boolean,
): Buffer {
  const parts: (string | Uint8Array)[] = ["{ "];
  if (input.from === "frame") parts.push(...byteWriter(input.data, input.writer), " | ");
  parts.push(`breezeblock_run ${nonce} `, quoteAll(argv));
  if (input.from === "nothing") parts.push(" </dev/null");
  // Some shells close in commands what `exec` opened above 2, but not what a redirection opens.
  if (lock) parts.push(" 9>&6");
  if (input.from === "channel") parts.push("\nexit");
  parts.push("\n}\n");
  return join(parts);
}

/** Opens the lock file as descriptor 6 of the shell itself. Between markers as a command is. */
export function openLockFrame(nonce: string, file: Argument): Buffer {
  const name = quote(file);
  // A failed redirection of `exec` ends the shell, hence the trial in a subshell.
  return builtinFrame(nonce, ["( exec 2>&8; : 6>>", name, " ) && exec 6>>", name]);
}

/** Closes descriptor 6, and with it the lock unless a command still has it. */
export function closeLockFrame(nonce: string): Buffer {
  return builtinFrame(nonce, ["exec 6>&-"]);
}

function builtinFrame(nonce: string, script: readonly (string | Uint8Array)[]): Buffer {
  return join([
    `{ breezeblock_n=${nonce}; echo ${nonce}b; echo ${nonce}b >&8; `,
    ...script,
    "\nbreezeblock_end $? ''\n}\n",
  ]);
}

const writerPiece = 16_384;

function byteWriter(data: Uint8Array, writer: ByteWriter): (string | Uint8Array)[] {
  const command = writer === "print" ? "print -n -- '" : "printf '";
  const octal = writer === "print" ? "\\0" : "\\";
  const parts: string[] = ["{ "];
  for (let start = 0; start === 0 || start < data.length; start += writerPiece) {
    let text = command;
    for (const byte of data.subarray(start, start + writerPiece)) {
      text += isPlain(byte) ? String.fromCharCode(byte) : octal + byte.toString(8).padStart(3, "0");
    }
    parts.push(text, "'; ");
  }
  parts.push("}");
  return parts;
}

/** Letters, digits and the punctuation that means nothing to quotes, printf and print. */
function isPlain(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f && byte !== 0x27 && byte !== 0x5c && byte !== 0x25 && byte !== 0x2d;
}

function join(parts: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
}
