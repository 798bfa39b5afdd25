import { strict as assert } from "node:assert";
import { createCipheriv, createHash } from "node:crypto";
import type { CommandResult, Executor, RunOptions } from "../../src/contract/index.ts";

/** What the page cache has of a block device may be older than what another machine has written. */
const forget = 'if [ -b "$1" ]; then blockdev --flushbufs "$1"; fi;';
const sizeScript = 'if [ -b "$1" ]; then blockdev --getsize64 "$1"; else stat -L -c %s "$1"; fi';
const filling = "left behind by a deleted volume";
const fillScript = `yes "$3" | head -c "$2" | dd of="$1" bs=1M iflag=fullblock conv=notrunc,fsync status=none`;
const writeScript = 'dd of="$1" seek="$2" oflag=seek_bytes bs=1M conv=notrunc,fsync status=none';
const digestScript = `${forget} \
  dd if="$1" skip="$2" count="$3" iflag=skip_bytes,count_bytes,fullblock bs=1M status=none | sha256sum`;
const zeroScript = `${forget} cmp --ignore-initial="$2:0" --bytes="$3" "$1" /dev/zero 2>&1`;

/** A volume's data, where its consumer has it. Every answer is read from the host at that moment. */
export interface Device {
  sizeBytes(): Promise<number>;
  write(content: Uint8Array, offset?: number): Promise<void>;
  /** Writes this text over and over; no byte stays zero. */
  fill(length: number, text?: string): Promise<void>;
  /** @throws AssertionError where it reads as anything else */
  expectContent(content: Uint8Array, offset?: number): Promise<void>;
  /** @throws AssertionError naming the first byte that is not zero */
  expectZeros(offset: number, length: number): Promise<void>;
}

/** Bytes that repeat nowhere and are the same for the same seed. The default length goes to a host with its command. */
export function content(seed: string, length = 61_440): Buffer {
  const cipher = createCipheriv("aes-128-ctr", createHash("md5").update(seed).digest(), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(length));
}

/** A block device or raw file at a path. */
export class RawDevice implements Device {
  readonly path: string;
  readonly #executor: Executor;

  constructor(executor: Executor, path: string) {
    this.#executor = executor;
    this.path = path;
  }

  async sizeBytes(): Promise<number> {
    return Number((await this.#sh(sizeScript, [])).toString());
  }

  async write(bytes: Uint8Array, offset = 0): Promise<void> {
    await this.#sh(writeScript, [offset], { stdin: bytes });
  }

  async fill(length: number, text = filling): Promise<void> {
    await this.#sh(fillScript, [length, text]);
  }

  async expectContent(bytes: Uint8Array, offset = 0): Promise<void> {
    const [digest] = (await this.#sh(digestScript, [offset, bytes.length])).toString().split(" ");
    const wanted = createHash("sha256").update(bytes).digest("hex");
    assert.equal(
      digest,
      wanted,
      `${bytes.length} bytes at ${offset} of ${this.path} are not what was written`,
    );
  }

  async expectZeros(offset: number, length: number): Promise<void> {
    const difference = await run(this.#executor, zeroScript, [this.path, offset, length]);
    assert.equal(difference.exitCode, 0, `not all zeros: ${difference.stdout.toString().trim()}`);
  }

  async #sh(script: string, args: readonly (string | number)[], options: RunOptions = {}): Promise<Buffer> {
    const { exitCode, stdout, stderr } = await run(this.#executor, script, [this.path, ...args], options);
    assert.equal(exitCode, 0, `${this.path}: ${stderr.toString().trim()}`);
    return stdout;
  }
}

/** A qcow2 file that nobody has open. */
export class Qcow2Device implements Device {
  readonly path: string;
  readonly #executor: Executor;

  constructor(executor: Executor, path: string) {
    this.#executor = executor;
    this.path = path;
  }

  async sizeBytes(): Promise<number> {
    return this.#flat((raw) => raw.sizeBytes());
  }

  async write(bytes: Uint8Array, offset = 0): Promise<void> {
    const script = `
      copy=$(mktemp) && trap 'rm -f "$copy"' EXIT && cat >"$copy" &&
      qemu-io -f qcow2 -c "write -q -s $copy $2 $3" -c flush "$1" >&2`;
    const { exitCode, stderr } = await run(this.#executor, script, [this.path, offset, bytes.length], {
      stdin: bytes,
    });
    assert.equal(`${exitCode} ${stderr.toString()}`, "0 ", this.path);
  }

  async fill(length: number, text = filling): Promise<void> {
    await this.write(Buffer.alloc(length, text));
  }

  async expectContent(bytes: Uint8Array, offset = 0): Promise<void> {
    await this.#flat((raw) => raw.expectContent(bytes, offset));
  }

  async expectZeros(offset: number, length: number): Promise<void> {
    await this.#flat((raw) => raw.expectZeros(offset, length));
  }

  /** Calls `read` with a raw copy. */
  async #flat<T>(read: (raw: RawDevice) => Promise<T>): Promise<T> {
    const script = 'copy=$(mktemp) && qemu-img convert -f qcow2 -O raw "$1" "$copy" && echo "$copy"';
    const { exitCode, stdout, stderr } = await run(this.#executor, script, [this.path]);
    assert.equal(exitCode, 0, stderr.toString());
    const copy = stdout.toString().trim();
    try {
      return await read(new RawDevice(this.#executor, copy));
    } finally {
      await this.#executor.run(["rm", "-f", copy]);
    }
  }
}

function run(
  executor: Executor,
  script: string,
  args: readonly (string | number)[],
  options: RunOptions = {},
): Promise<CommandResult> {
  return executor.run(["sh", "-c", script, "sh", ...args.map(String)], options);
}
