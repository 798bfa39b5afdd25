const newline = 0x0a;
const nothing = Buffer.alloc(0);

/**
 * Takes one frame's part out of one output stream: what stands between `<nonce>b…\n` and `<nonce>e…\n`, byte for
 * byte, wherever the chunks are cut. Nothing but those two markers means anything to it.
 */
export class FrameReader {
  readonly #beginMarker: Buffer;
  readonly #endMarker: Buffer;
  readonly #take: (chunk: Buffer) => void;
  #state: "before" | "begin-line" | "body" | "end-line" | "done" = "before";
  #held: Buffer = nothing;
  #begin: string | undefined;
  #end: string | undefined;

  /** @param take gets the body in pieces. */
  constructor(nonce: string, take: (chunk: Buffer) => void) {
    this.#beginMarker = Buffer.from(`${nonce}b`);
    this.#endMarker = Buffer.from(`${nonce}e`);
    this.#take = take;
  }

  /** What the begin marker says; undefined until it was seen whole. */
  get begin(): string | undefined {
    return this.#begin;
  }

  /** What the end marker says; undefined until it was seen whole. */
  get end(): string | undefined {
    return this.#end;
  }

  /** The next piece of the stream. What follows the end marker is dropped. */
  push(chunk: Buffer): void {
    let data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = nothing;
    for (;;) {
      switch (this.#state) {
        case "before": {
          const start = data.indexOf(this.#beginMarker);
          if (start < 0) {
            this.#held = data.subarray(-(this.#beginMarker.length - 1));
            return;
          }
          data = data.subarray(start + this.#beginMarker.length);
          this.#state = "begin-line";
          break;
        }
        case "begin-line": {
          const stop = data.indexOf(newline);
          if (stop < 0) {
            this.#held = data;
            return;
          }
          this.#begin = data.toString("latin1", 0, stop);
          data = data.subarray(stop + 1);
          this.#state = "body";
          break;
        }
        case "body": {
          const stop = data.indexOf(this.#endMarker);
          const sure = stop < 0 ? data.length - markerStart(data, this.#endMarker) : stop;
          if (sure > 0) this.#take(data.subarray(0, sure));
          if (stop < 0) {
            this.#held = data.subarray(sure);
            return;
          }
          data = data.subarray(stop + this.#endMarker.length);
          this.#state = "end-line";
          break;
        }
        case "end-line": {
          const stop = data.indexOf(newline);
          if (stop < 0) {
            this.#held = data;
            return;
          }
          this.#end = data.toString("latin1", 0, stop);
          this.#state = "done";
          return;
        }
        case "done":
          return;
      }
    }
  }
}

/** How many bytes at the end of `data` may be the start of `marker`. */
function markerStart(data: Buffer, marker: Buffer): number {
  const first = marker.subarray(0, 1);
  let start = data.indexOf(first, Math.max(0, data.length - marker.length + 1));
  while (start >= 0) {
    const length = data.length - start;
    if (data.compare(marker, 0, length, start) === 0) return length;
    start = data.indexOf(first, start + 1);
  }
  return 0;
}
