import { Transform, type TransformCallback } from "node:stream";

const longestHeader = 64;

/** Passes a stream of content on as it is, and tells how far it has come. Holds no more than a header line. */
export class StreamProgress extends Transform {
  readonly #tell: (offset: number) => void;
  #header = "";
  /** Of the piece that is passing. */
  #left = 0;
  #end = 0;

  /** @param tell given the offset in bytes up to which pieces have passed; what was left out counts once something follows */
  constructor(tell: (offset: number) => void) {
    super({ highWaterMark: 1024 ** 2 });
    this.#tell = tell;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      for (let at = 0; at < chunk.length; ) at += this.#read(chunk, at);
    } catch (error) {
      done(error as Error);
      return;
    }
    done(null, chunk);
  }

  /** How many bytes it has read. */
  #read(chunk: Buffer, at: number): number {
    if (this.#left > 0) {
      const many = Math.min(this.#left, chunk.length - at);
      this.#left -= many;
      if (this.#left === 0) this.#tell(this.#end);
      return many;
    }
    const newline = chunk.indexOf("\n", at);
    const end = newline === -1 ? chunk.length : newline;
    this.#header += chunk.toString("latin1", at, end);
    if (this.#header.length > longestHeader) throw new Error("what came was no content");
    if (newline === -1) return end - at;
    const [word, offset, length] = this.#header.split(" ");
    this.#header = "";
    if (word === "data") {
      this.#left = Number(length);
      this.#end = Number(offset) + this.#left;
      if (!Number.isSafeInteger(this.#end) || this.#left <= 0) throw new Error("what came was no content");
    }
    return end + 1 - at;
  }
}
