import {
  type ImageChecksum,
  type ImageSource,
  imageCompressions,
  imageFormats,
  StorageError,
} from "../../src/contract/index.ts";
import {
  type AttributeSet,
  type Config,
  choice,
  type Diagnostic,
  errorAt,
  isUnknown,
  type State,
  string,
  type Unknowable,
  type Validator,
} from "../schema/index.ts";

const checksumPattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

const imageUrl: Validator<string> = {
  description: "be an http, https or file URL without user name and password",
  check(value) {
    let url: URL;
    try {
      url = new URL(value);
    } catch {
      return "It is not a URL.";
    }
    if (!["http:", "https:", "file:"].includes(url.protocol)) {
      return `Images are fetched from http, https and file URLs, not from ${url.protocol}.`;
    }
    if (url.username !== "" || url.password !== "") {
      return "It holds a user name or a password, which would end up in the state.";
    }
    return url.protocol === "file:" && !["", "localhost"].includes(url.hostname)
      ? "A file URL names a file of the storage host itself: file:///path."
      : undefined;
  },
};

const absolutePath: Validator<string> = {
  description: "be an absolute path",
  check: (value) =>
    value.startsWith("/") ? undefined : `It must be an absolute path, and "${value}" is not.`,
};

const checksum: Validator<string> = {
  description: "be `sha256:` or `sha512:` and the digest in lower-case hexadecimal",
  check: (value) =>
    checksumPattern.test(value)
      ? undefined
      : "A checksum is written as sha256: or sha512: and the digest in lower-case hexadecimal.",
};

/** What a volume is filled from. */
export const imageAttributes = {
  url: string("optional", {
    description:
      "An http or https URL: fetched by the storage host itself where it can, otherwise by the machine that runs the engine and sent there. Or a `file:` URL, which means a file on the storage host. `http` needs a `checksum`.",
    validators: [imageUrl],
    example: "https://images.example/debian.qcow2",
  }),
  path: string("optional", {
    description: "The absolute path of a file on the storage host.",
    validators: [absolutePath],
  }),
  local_path: string("optional", {
    description: "The path of a file on the machine that runs the engine; it is sent to the storage host.",
  }),
  format: choice(imageFormats, "required", {
    description:
      "What the image is. Never guessed: an image declared as `raw` that begins as a qcow2 file does is refused.",
    example: "qcow2",
  }),
  compression: choice(imageCompressions, "optional", {
    description:
      "What the file is compressed with. It is decompressed on the storage host, which needs the program of that name; the volume's `size` has to be written then.",
  }),
  checksum: string("optional", {
    description:
      "`sha256:` or `sha512:` and the digest of the file as it is fetched, in lower-case hexadecimal.",
    validators: [checksum],
  }),
} as const satisfies AttributeSet;

export type ImageState = State<typeof imageAttributes>;

const places = ["url", "path", "local_path"] as const;

export function imageOf(image: ImageState): ImageSource {
  const place = places.find((name) => image[name] !== null);
  const reference = place === undefined ? null : image[place];
  if (place === undefined || reference === null) {
    throw new StorageError({
      kind: "InvalidInput",
      action: "use the image",
      reason: "It has neither a url nor a path nor a local_path",
      attribute: ["source", "image"],
    });
  }
  return {
    place,
    reference,
    format: image.format,
    compression: image.compression,
    checksum: image.checksum === null ? null : checksumOf(image.checksum),
  };
}

function checksumOf(text: string): ImageChecksum {
  const at = text.indexOf(":");
  return { algorithm: text.startsWith("sha512") ? "sha512" : "sha256", digest: text.slice(at + 1) };
}

/** What is wrong with an image as it is written at `source.image`. */
export function imageProblems(
  image: Unknowable<Config<typeof imageAttributes>>,
  size: Unknowable<number> | null,
): Diagnostic[] {
  if (isUnknown(image)) return [];
  const at = ["source", "image"];
  const given = places.filter((name) => image[name] !== null);
  const found: Diagnostic[] = [];
  if (given.length === 0) {
    found.push(errorAt(at, "Image without a place", "An image needs a url, a path or a local_path."));
  }
  if (given.length > 1) {
    found.push(errorAt(at, "Image of several places", `Give one of ${given.join(" and ")}.`));
  }
  if (typeof image.url === "string" && /^http:/i.test(image.url) && image.checksum === null) {
    found.push(
      errorAt(
        [...at, "checksum"],
        "Image without a checksum",
        "What comes over http may be anybody's: write the checksum, or use https.",
      ),
    );
  }
  if (size === null && image.compression !== null && !isUnknown(image.compression)) {
    found.push(
      errorAt(
        ["size"],
        "Missing size",
        "A compressed image does not say how large its disk is: write the size in GiB.",
      ),
    );
  }
  return found;
}
