import type { ImageSource } from "../contract/index.ts";
import { checkQcow2, headBytes, isQcow } from "./qcow2-header.ts";

/**
 * The size of the disk in an image, in bytes, once it is certain that it can be opened.
 *
 * @param head the first bytes without compression, `headBytes` of them or all
 * @param fileBytes its length without compression; `null` where it is not known
 * @throws Error that says why not, as the end of a sentence about the image
 */
export function diskBytes(format: ImageSource["format"], head: Buffer, fileBytes: number | null): number {
  if (format === "qcow2") return checkQcow2(head, fileBytes);
  // A disk whose user wrote such a header to its beginning is not made into more than its bytes, and never opened as one.
  if (isQcow(head))
    throw new Error('it is declared as raw, and begins as a qcow2 file does; write format = "qcow2"');
  if (fileBytes === null) throw new Error("it does not say how large it is");
  if (fileBytes === 0) throw new Error("it is empty");
  return fileBytes;
}

/** What `headScript` printed. */
export function parseHead(stdout: Buffer): { readonly bytes: number; readonly head: Buffer } {
  const end = stdout.indexOf("\n");
  const text = stdout.toString("latin1", 0, end);
  if (!/^\d+$/.test(text)) throw new Error(`its size is not known: ${JSON.stringify(text)}`);
  return { bytes: Number(text), head: stdout.subarray(end + 1) };
}

/** Compares what QEMU says of a qcow2 disk with what its header said, and refuses what it would read besides. */
export function checkInfo(text: string, bytes: number): void {
  const info: unknown = JSON.parse(text);
  if (typeof info !== "object" || info === null) throw new Error("qemu-img said nothing of it");
  const said = info as Readonly<Record<string, unknown>>;
  if (said["format"] !== "qcow2") throw new Error(`qemu-img takes it for ${String(said["format"])}`);
  if (said["virtual-size"] !== bytes) throw new Error("qemu-img and its header do not agree on its size");
  if (said["backing-filename"] !== undefined) throw new Error("it takes content from a backing file");
  if (said["encrypted"] === true) throw new Error("it is encrypted");
  const specific = (
    said["format-specific"] as { readonly data?: Readonly<Record<string, unknown>> } | undefined
  )?.data;
  if (specific?.["data-file"] !== undefined) throw new Error("it keeps its content in an external data file");
}

/** As many bytes as an image of a volume may have on the way, whatever it claims: tables and snapshots take some. */
export function stagingLimit(sizeBytes: number): number {
  return Math.ceil(sizeBytes * 1.25) + 64 * 1024 ** 2;
}

export { headBytes };
