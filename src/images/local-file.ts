import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, link, lstat, open, rm, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { Writable } from "node:stream";
import type { ImageContent } from "../contract/index.ts";

const zeros = Buffer.alloc(64 * 1024);

/** The size of a file of this machine in bytes; `undefined` where it is not there. */
export async function localSize(file: string): Promise<number | undefined> {
  try {
    return (await lstat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** A file of this machine that is written under a name of its own, and gets its name once it is whole. */
export class LocalFile {
  readonly #file: string;
  readonly #part: string;
  readonly #handle: FileHandle;
  readonly #hash = createHash("sha256");
  #position = 0;

  private constructor(file: string, part: string, handle: FileHandle) {
    this.#file = file;
    this.#part = part;
    this.#handle = handle;
  }

  /** @param id names what is being written beside the file, so that a later run writes over it */
  static async create(file: string, id: string): Promise<LocalFile> {
    const part = `${file}.breezeblock-${id}.part`;
    await rm(part, { force: true });
    return new LocalFile(file, part, await open(part, "wx", 0o600));
  }

  /** Takes the content. Holds one piece at a time, and leaves zeros out. */
  sink(onProgress: (bytes: number) => void): Writable {
    return new Writable({
      highWaterMark: 1024 ** 2,
      write: (chunk: Buffer, _encoding, done) => {
        this.#take(chunk).then(
          () => {
            onProgress(this.#position);
            done();
          },
          (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
        );
      },
    });
  }

  /**
   * Gives the file its name, in place of nothing.
   *
   * @throws Error where what was taken is not `expected`, or where a file of that name is there (code `EEXIST`)
   */
  async finish({ sizeBytes, sha256 }: ImageContent): Promise<void> {
    await this.#handle.truncate(this.#position);
    await this.#handle.sync();
    const found = this.#hash.digest("hex");
    if (this.#position !== sizeBytes || found !== sha256) {
      throw new Error(
        `${this.#position} bytes with the sha256 checksum ${found} came, not ${sizeBytes} with ${sha256}`,
      );
    }
    await link(this.#part, this.#file);
    await syncDirectory(dirname(this.#file));
  }

  /** Removes the name that it had while it was being written. */
  async close(): Promise<void> {
    await this.#handle.close();
    await rm(this.#part, { force: true });
  }

  async #take(chunk: Buffer): Promise<void> {
    this.#hash.update(chunk);
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + zeros.length);
      if (!piece.equals(zeros.subarray(0, piece.length))) await this.#write(piece);
      this.#position += piece.length;
      at += piece.length;
    }
  }

  async #write(piece: Buffer): Promise<void> {
    for (let done = 0; done < piece.length; ) {
      const { bytesWritten } = await this.#handle.write(
        piece,
        done,
        piece.length - done,
        this.#position + done,
      );
      done += bytesWritten;
    }
  }
}

/** Removes a file of this machine where it has just this content. Absent is success. @throws Error that says what differs */
export async function removeLocal(file: string, expected: ImageContent, signal: AbortSignal): Promise<void> {
  const size = await localSize(file);
  if (size === undefined) return;
  if (!(await lstat(file)).isFile()) throw new Error("it is not a plain file");
  if (size !== expected.sizeBytes) throw new Error(`it has ${size} bytes in place of ${expected.sizeBytes}`);
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: zeros.length, signal })) {
    hash.update(chunk as Buffer);
  }
  const found = hash.digest("hex");
  if (found !== expected.sha256) throw new Error(`its sha256 checksum is ${found}, not ${expected.sha256}`);
  await unlink(file);
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
