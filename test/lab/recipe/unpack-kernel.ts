import { readFileSync, writeFileSync } from "node:fs";
import { execute } from "../execute.ts";

const lz4Magic = "02214c18";

/**
 * Writes the kernel proper out of a compressed x86 kernel image, so that an emulated processor need not
 * unpack it at every boot. One that is not compressed with LZ4, as Debian's is, is copied: that boots too.
 * The offsets are those of the kernel's x86 boot protocol, 2.08 and later.
 */
export async function unpackKernel(imageFile: string, output: string): Promise<void> {
  const image = readFileSync(imageFile);
  const setupSectors = image.readUInt8(0x1f1) || 4;
  const start = (setupSectors + 1) * 512 + image.readUInt32LE(0x248);
  const payload = image.subarray(start, start + image.readUInt32LE(0x24c));
  if (payload.subarray(0, 4).toString("hex") !== lz4Magic) {
    writeFileSync(output, image);
    return;
  }
  // The last four bytes are the unpacked length, which lz4 does not know.
  await execute("sh", ["-c", 'lz4 -dc >"$1"', "sh", output], { input: payload.subarray(0, -4) });
}
