import {
  array,
  assert as check,
  constantFrom,
  integer,
  oneof,
  property,
  string,
  uint8Array,
} from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameReader } from "./frame-reader.ts";

const nonce = "0123456789abcdef0123456789abcdef";
const otherNonce = "fedcba9876543210fedcba9876543210";

function read(chunks: readonly Buffer[]) {
  const body: Buffer[] = [];
  const reader = new FrameReader(nonce, (chunk) => body.push(chunk));
  for (const chunk of chunks) reader.push(chunk);
  return { begin: reader.begin, end: reader.end, body: Buffer.concat(body) };
}

function cut(data: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let start = 0;
  for (let index = 0; start < data.length; index++) {
    const size = sizes[index % sizes.length] ?? 1;
    chunks.push(data.subarray(start, start + size));
    start += size;
  }
  return chunks;
}

describe("FrameReader", () => {
  it("takes out any body, byte for byte, however the stream is cut", () => {
    const piece = oneof(
      uint8Array({ maxLength: 200 }),
      // What looks like markers: another frame's, and beginnings of this one's.
      constantFrom(
        `${otherNonce}e0 0\n`,
        `${otherNonce}b1\n`,
        nonce,
        `${nonce}b1 (sh)\n`,
        nonce.slice(0, 20),
        "\n",
      ),
      string(),
    ).map((one) => Buffer.from(one));
    check(
      property(
        array(piece).map((pieces) => Buffer.concat(pieces)),
        array(integer({ min: 1, max: 80 }), { minLength: 1 }),
        uint8Array({ maxLength: 50 }),
        (body, sizes, before) => {
          if (body.includes(`${nonce}e`) || Buffer.from(before).includes(nonce)) return;
          const stream = Buffer.concat([
            before,
            Buffer.from(`${nonce}b12 (sh) R\n`),
            body,
            Buffer.from(`${nonce}e7 0\nlate`),
          ]);
          expect(read(cut(stream, sizes))).toEqual({ begin: "12 (sh) R", end: "7 0", body });
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("gives output on at once, except what may be the start of the end marker", () => {
    expect(read([Buffer.from(`${nonce}b\nline\n`)]).body.toString()).toBe("line\n");
    expect(read([Buffer.from(`${nonce}b\nline${nonce}`)]).body.toString()).toBe("line");
  });

  it("knows an empty body", () => {
    expect(read([Buffer.from(`${nonce}b1\n${nonce}e0 0\n`)])).toEqual({
      begin: "1",
      end: "0 0",
      body: Buffer.alloc(0),
    });
  });
});
