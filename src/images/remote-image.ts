import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { fileURLToPath } from "node:url";
import type { ImageSource } from "../contract/index.ts";
import { headBytes } from "./qcow2-header.ts";

const mostRedirects = 5;
/** Small, because what is read is kept until V8 happens to collect it. */
const streamChunkBytes = 64 * 1024;

/** What of a URL may be shown: what follows a `?` often grants access. */
export function withoutQuery(reference: string): string {
  const at = reference.indexOf("?");
  return at === -1 ? reference : `${reference.slice(0, at)}?…`;
}

/** A file on the storage host, where an image is one: its path, or what a `file:` URL means. */
export function pathOnHost({ place, reference }: ImageSource): string | null {
  if (place === "path") return reference;
  return place === "url" && /^file:/i.test(reference) ? fileURLToPath(reference) : null;
}

/** An image as the machine that runs the engine can read it. */
export interface OpenImage {
  readonly stream: Readable;
  /** `null` where the server does not say. */
  readonly bytes: number | null;
}

/** Opens a file of this machine, or asks for a URL. Throws `Error`, in the words of what failed. */
export async function openImage(image: ImageSource, signal: AbortSignal): Promise<OpenImage> {
  if (image.place === "local_path") {
    const path = resolve(image.reference);
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      throw error.code === "ENOENT" ? new Error(`there is no file ${path} on this machine`) : error;
    });
    if (!found.isFile()) throw new Error(`${path} is not a file`);
    return { stream: createReadStream(path, { highWaterMark: streamChunkBytes, signal }), bytes: found.size };
  }
  const response = await get(new URL(image.reference), signal);
  if (response.body === null) throw new Error("the server sent nothing");
  const length = response.headers.get("content-length");
  // Of a body that the transport compressed it is the length of something else.
  const isPlain = response.headers.get("content-encoding") === null;
  return {
    stream: Readable.fromWeb(response.body as ReadableStream<Uint8Array>),
    bytes: length !== null && isPlain ? Number(length) : null,
  };
}

/** The length and the first bytes of a file of this machine; `null` where it is not there. */
export async function localHead(
  path: string,
): Promise<{ readonly bytes: number; readonly head: Buffer } | null> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(resolve(path), "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return { bytes: size, head: buffer.subarray(0, bytesRead) };
  } finally {
    await file.close();
  }
}

/** The length and the first bytes behind a URL. */
export async function remoteHead(
  image: ImageSource,
  signal: AbortSignal,
): Promise<{ readonly bytes: number | null; readonly head: Buffer }> {
  const { stream, bytes } = await openImage(image, signal);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk as Uint8Array));
    length += chunks.at(-1)?.length ?? 0;
    if (length >= headBytes) break;
  }
  return { bytes, head: Buffer.concat(chunks).subarray(0, headBytes) };
}

/** Follows redirects by itself: one from https to http would take the protection away. */
async function get(url: URL, signal: AbortSignal): Promise<Response> {
  for (let redirects = 0, at = url; redirects <= mostRedirects; redirects += 1) {
    const response = await fetch(at, {
      signal,
      redirect: "manual",
      headers: { "accept-encoding": "identity" },
    }).catch((error: unknown) => {
      throw new Error(wordsOf(error));
    });
    const location = response.headers.get("location");
    if (response.status < 300 || response.status >= 400 || location === null) {
      if (response.ok) return response;
      await response.body?.cancel();
      throw new Error(`the server answered with status ${response.status}`);
    }
    await response.body?.cancel();
    const from = at.protocol;
    at = new URL(location, at);
    if (at.protocol !== "https:" && (at.protocol !== "http:" || from === "https:")) {
      throw new Error(`it is redirected from ${from} to ${at.protocol}, which is not followed`);
    }
  }
  throw new Error(`it is redirected more than ${mostRedirects} times`);
}

/** What the network said is the cause of what `fetch` says. */
export function wordsOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}
