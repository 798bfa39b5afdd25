import { execFileSync } from "node:child_process";
import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LocalHost } from "../../test/support/backend.ts";
import { mebibyte, needs } from "../../test/support/file-backend.ts";
import { tempDirectory } from "../../test/support/temp-directory.ts";
import type { Host, VolumeContent } from "../contract/index.ts";
import { pieceBytes, sumScript } from "./scripts.ts";
import { StreamProgress } from "./stream-progress.ts";
import { transferContent } from "./transfer.ts";

/** This machine as one of several hosts, which counts the bytes that are streamed out of it. */
class StreamingHost extends LocalHost {
  sentBytes = 0;

  override stream(...[argv, streams, options]: Parameters<Host["stream"]>): ReturnType<Host["stream"]> {
    const { stdout } = streams;
    if (stdout === undefined) return super.stream(argv, streams, options);
    // Not through a stream of its own: what that still held when the sender ended would come after the end.
    const write = stdout.write.bind(stdout) as (chunk: Buffer, ...rest: unknown[]) => boolean;
    const counting = (chunk: Buffer, ...rest: unknown[]): boolean => {
      this.sentBytes += chunk.length;
      return write(chunk, ...rest);
    };
    stdout.write = counting as typeof stdout.write;
    return super.stream(argv, streams, options);
  }
}

const sizeBytes = 2 * pieceBytes + 3 * mebibyte;

/** Content with a hole between two written places, and odd ends. */
function written(directory: string): string {
  const path = join(directory, "source.raw");
  const bytes = Buffer.alloc(sizeBytes);
  bytes.write("at the beginning", 1);
  bytes.write("at the very end", sizeBytes - 15);
  writeFileSync(path, bytes);
  return path;
}

function content(directory: string, format: "raw" | "qcow2", path: string): VolumeContent {
  const proof = { path: join(directory, "identity"), text: '"this one"' };
  return { format, path, sizeBytes, isZeroed: true, proof };
}

async function transfer(
  from: VolumeContent,
  to: VolumeContent,
  hosts = [new StreamingHost(), new StreamingHost()],
) {
  const progress: string[] = [];
  const [source = new StreamingHost(), target = source] = hosts;
  await transferContent({
    action: "move volume",
    source: { host: source, content: from },
    target: { host: target, content: to },
    job: { id: "copy", directory: "/" },
    token: "0123456789abcdef",
    signal: undefined,
    onProgress: (line) => progress.push(line),
  });
  return { progress, sentBytes: source.sentBytes };
}

function ground(): string {
  const directory = tempDirectory();
  writeFileSync(join(directory, "identity"), '{"identity":"this one"}\n');
  return directory;
}

function empty(directory: string, format: "raw" | "qcow2", name = `target.${format}`): VolumeContent {
  const path = join(directory, name);
  if (format === "qcow2") execFileSync("qemu-img", ["create", "-q", "-f", format, path, String(sizeBytes)]);
  else {
    writeFileSync(path, "");
    truncateSync(path, sizeBytes);
  }
  return content(directory, format, path);
}

function rawBytes({ format, path }: VolumeContent): Buffer {
  if (format === "raw") return readFileSync(path);
  execFileSync("qemu-img", ["convert", "-O", "raw", path, `${path}.plain`]);
  return readFileSync(`${path}.plain`);
}

test.each(["on one host", "between hosts"])(
  "%s, every byte is copied, and holes stay holes",
  async (where) => {
    const directory = ground();
    const source = content(directory, "raw", written(directory));
    const target = empty(directory, "raw");
    const host = new StreamingHost();
    const { sentBytes } = await transfer(source, target, where === "on one host" ? [host] : undefined);
    expect(rawBytes(target).equals(readFileSync(source.path))).toBe(true);
    expect(statSync(target.path).blocks * 512).toBeLessThan(mebibyte);
    // The piece in the middle holds zeros only.
    expect(sentBytes).toBeLessThan(sizeBytes - pieceBytes / 2);
  },
);

test.for(["on one host", "between hosts"])(
  "%s, content goes into qcow2 and out of it",
  async (where, context) => {
    needs("qcow2", context);
    const directory = ground();
    const host = new StreamingHost();
    const hosts = where === "on one host" ? [host] : undefined;
    const source = content(directory, "raw", written(directory));
    const target = empty(directory, "qcow2");
    await transfer(source, target, hosts);
    expect(rawBytes(target).equals(readFileSync(source.path))).toBe(true);
    const back = empty(directory, "raw", "back.raw");
    await transfer(target, back, hosts);
    expect(rawBytes(back).equals(readFileSync(source.path))).toBe(true);
  },
);

test.each(["on one host", "between hosts"])(
  "%s, a target that is not zeroed and is larger gets zeros, too",
  async (where) => {
    const directory = ground();
    const source = content(directory, "raw", written(directory));
    const path = join(directory, "target.raw");
    writeFileSync(path, Buffer.alloc(sizeBytes + mebibyte, "x"));
    const target = { ...content(directory, "raw", path), sizeBytes: sizeBytes + mebibyte, isZeroed: false };
    await transfer(source, target, where === "on one host" ? [new StreamingHost()] : undefined);
    const expected = Buffer.concat([readFileSync(source.path), Buffer.alloc(mebibyte)]);
    expect(readFileSync(path).equals(expected)).toBe(true);
  },
);

test.each(["on one host", "between hosts"])(
  "%s, what does not read the same afterwards is told",
  async (where) => {
    const directory = ground();
    const source = content(directory, "raw", written(directory));
    const target = empty(directory, "raw");
    // In a place that the source has nothing in, and that is therefore not written.
    const bytes = readFileSync(target.path);
    bytes.write("left over", pieceBytes + 100);
    writeFileSync(target.path, bytes);
    const moving = transfer(source, target, where === "on one host" ? [new StreamingHost()] : undefined);
    await expect(moving).rejects.toThrow(/checksum/);
  },
);

test.each(["on one host", "between hosts"])(
  "%s, another storage in the target's place is left alone",
  async (where) => {
    const directory = ground();
    const source = content(directory, "raw", written(directory));
    const target = empty(directory, "raw");
    const other = { ...target, proof: { ...target.proof, text: '"another"' } };
    const moving = transfer(source, other, where === "on one host" ? [new StreamingHost()] : undefined);
    await expect(moving).rejects.toThrow(/does not hold/);
    expect(rawBytes(target).equals(Buffer.alloc(sizeBytes))).toBe(true);
  },
);

test("a source that ends early is no copy", async () => {
  const directory = ground();
  const source = content(directory, "raw", written(directory));
  const target = empty(directory, "raw");
  truncateSync(source.path, 100);
  await expect(transfer(source, target)).rejects.toThrow(/no content|failed|cut off/);
});

test.each([
  ["ends early", "raw", 100, /100 bytes of .* in place of/],
  ["cannot be read", "raw", null, /not all of .* could be read/],
] as const)("content that %s has no checksum", async (_, format, bytes, words) => {
  const directory = ground();
  // Nobody can read a directory as a file.
  const path = bytes === null ? directory : join(directory, "source.raw");
  if (bytes !== null) writeFileSync(path, Buffer.alloc(bytes));
  const size = String(sizeBytes);
  const args = [format, path, join(directory, "identity"), '"this one"', size, size];
  const { exitCode, stdout, stderr } = await new StreamingHost().run([
    ...["sh", "-c", sumScript, "breezeblock"],
    ...args,
  ]);
  expect(exitCode).not.toBe(0);
  expect(stdout.toString()).toBe("");
  expect(stderr.toString()).toMatch(words);
});

test("progress is read from the stream, however it is cut", () => {
  const told: number[] = [];
  const passing = new StreamProgress((offset) => told.push(offset));
  const stream = Buffer.from("data 0 5\nabcdedata 100 3\nxyzend 200\n");
  for (const byte of stream) passing.write(Buffer.of(byte));
  expect(told).toEqual([5, 103]);
  expect(passing.read()?.toString()).toBe(stream.toString());
});
