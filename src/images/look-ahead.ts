import { type Executor, type ImageSource, StorageError } from "../contract/index.ts";
import { script, tooLarge, understand } from "./filling.ts";
import { diskBytes, headBytes, parseHead } from "./inspect.ts";
import { localHead, pathOnHost, remoteHead, withoutQuery, wordsOf } from "./remote-image.ts";
import { exitCodes, headScript } from "./scripts.ts";

type Head = { readonly bytes: number | null; readonly head: Buffer };

/**
 * What can be known of an image at plan, without fetching it: of a file that is there already and not compressed, whether it
 * is what it is declared to be and fits. A file that is not there may come to be in the same apply.
 *
 * @param sizeBytes `null` where the volume takes the image's size, or its size is not known yet
 * @throws StorageError `ImageUnacceptable`
 */
export async function lookAhead(
  host: Executor,
  image: ImageSource,
  sizeBytes: number | null,
  action: string,
): Promise<void> {
  if (image.compression !== null) return;
  const path = pathOnHost(image);
  const found =
    path !== null
      ? await headOnHost(host, path)
      : image.place === "local_path"
        ? await localHead(image.reference).catch(() => null)
        : null;
  if (found === null) return;
  const bytes = understand({ action, image }, () => diskBytes(image.format, found.head, found.bytes));
  if (sizeBytes !== null && bytes > sizeBytes) throw tooLarge(action, image, bytes, sizeBytes);
}

/**
 * The size of the disk in an image that is not compressed, in bytes, from its first bytes. What it is made of is proven
 * later, from the image itself.
 */
export async function imageDiskBytes(
  host: Executor,
  image: ImageSource,
  signal: AbortSignal | undefined,
  action: string,
): Promise<number> {
  const path = pathOnHost(image);
  let found: Head | null;
  try {
    found =
      path !== null
        ? await headOnHost(host, path)
        : image.place === "local_path"
          ? await localHead(image.reference)
          : await remoteHead(image, signal ?? new AbortController().signal);
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw unknownSize(image, wordsOf(error), action);
  }
  if (found === null) throw unknownSize(image, "there is no such file", action);
  const { head, bytes } = found;
  return understand({ action, image }, () => diskBytes(image.format, head, bytes));
}

async function headOnHost(host: Executor, path: string): Promise<Head | null> {
  const { exitCode, stdout, stderr } = await host.run(script(headScript, path, String(headBytes)));
  if (exitCode === exitCodes.missing) return null;
  if (exitCode === 0) return parseHead(stdout);
  throw new StorageError({
    kind: "VolumeBackendError",
    action: `look at the image ${path}`,
    reason: stderr.toString().trim(),
    host: host.host,
    attribute: ["source", "image", "path"],
  });
}

function unknownSize(image: ImageSource, words: string, action: string): StorageError {
  return new StorageError({
    kind: "InvalidInput",
    action,
    reason: `The image ${withoutQuery(image.reference)} cannot be looked at: ${words}`,
    nextStep: "Make it readable; or, where only the storage host can reach it, write the volume's size",
    attribute: ["source", "image", image.place],
  });
}
