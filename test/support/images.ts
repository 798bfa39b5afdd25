import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { ensurePackages } from "./packages.ts";

/** What the tests of images need besides the tools of every host. */
export const imageTools = await ensurePackages([
  "qemu-utils",
  "curl",
  "xz-utils",
  "zstd",
  "bzip2",
  "openssl",
]);

/** The content of a disk: data, a hole of some MiB, and data at an end that is no whole MiB. */
export function diskContent(bytes = 6 * 1024 ** 2 + 512): Buffer {
  const content = Buffer.alloc(bytes);
  randomBytes(1024 ** 2 + 7).copy(content);
  randomBytes(512).copy(content, bytes - 512);
  return content;
}

export function sha256(file: string): string {
  return `sha256:${createHash("sha256").update(readFileSync(file)).digest("hex")}`;
}

/** Makes a qcow2 file of a raw one. */
export function makeQcow2(raw: string, file: string, ...options: string[]): string {
  execFileSync("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", ...options, raw, file]);
  return file;
}

/** The first `bytes` of a file. */
export function beginningOf(file: string, bytes: number): Buffer {
  const descriptor = openSync(file, "r");
  try {
    const content = Buffer.alloc(bytes);
    return content.subarray(0, readSync(descriptor, content, 0, bytes, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** Writes a copy of a file with a few bytes replaced. */
export function altered(from: string, to: string, at: number, bytes: Buffer): string {
  const content = readFileSync(from);
  bytes.copy(content, at);
  writeFileSync(to, content);
  return to;
}

export interface ImageServer {
  readonly url: string;
  /** `User-Agent` of each request, in order. */
  readonly clients: readonly string[];
  close(): Promise<void>;
}

/** What a server proves itself with. */
export interface Certificate {
  readonly key: Buffer;
  readonly cert: Buffer;
  /** The file with the certificate, for who is to trust it. */
  readonly file: string;
}

/** Makes a certificate for the loopback address that nobody trusts yet, with its key, in `directory`. */
export function makeCertificate(directory: string): Certificate {
  const file = join(directory, "certificate.pem");
  const key = join(directory, "key.pem");
  execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "2", "-subj", "/CN=images.test"],
      ...["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", file],
    ],
    { stdio: "pipe" },
  );
  return { key: readFileSync(key), cert: readFileSync(file), file };
}

/** Serves on the loopback interface, over HTTPS where there is a certificate. */
export async function serveImages(
  listener: RequestListener,
  certificate?: Certificate,
): Promise<ImageServer> {
  const clients: string[] = [];
  const answer = (request: IncomingMessage, response: Parameters<RequestListener>[1]) => {
    clients.push(request.headers["user-agent"] ?? "");
    listener(request, response);
  };
  const server = certificate === undefined ? createServer(answer) : createSecureServer(certificate, answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${certificate === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    clients,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
