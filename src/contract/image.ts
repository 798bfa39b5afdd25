/** Where the bytes of an image are. `path` is on the storage host, `local_path` on the machine that runs the engine. */
export type ImagePlace = "url" | "path" | "local_path";

export const imageFormats = ["raw", "qcow2"] as const;
export type ImageFormat = (typeof imageFormats)[number];

export const imageCompressions = ["gzip", "xz", "zstd", "bzip2"] as const;
export type ImageCompression = (typeof imageCompressions)[number];

export interface ImageChecksum {
  readonly algorithm: "sha256" | "sha512";
  /** Lower-case hexadecimal. */
  readonly digest: string;
}

/** A disk image that a volume is filled from. */
export interface ImageSource {
  readonly place: ImagePlace;
  /** The URL or path. Holds no password; what follows a `?` may be secret. */
  readonly reference: string;
  /** As declared. Never guessed from content: whoever writes a disk decides what is at its beginning. */
  readonly format: ImageFormat;
  /** Of the file as it is fetched; `null` for none. */
  readonly compression: ImageCompression | null;
  /** Over the file as it is fetched. */
  readonly checksum: ImageChecksum | null;
}

/** What an image is to be that a volume's content is copied out to, and where. */
export interface ImageDestination {
  /** `path`: a file on the storage host; `local_path`: a file on the machine that runs the engine. */
  readonly place: Extract<ImagePlace, "path" | "local_path">;
  /** Absolute. */
  readonly file: string;
  readonly format: ImageFormat;
  /** Clusters are compressed; qcow2 only. */
  readonly isCompressed: boolean;
}

/** What was written to an image's file. */
export interface ImageContent {
  readonly sizeBytes: number;
  /** Over the file, lower-case hexadecimal. */
  readonly sha256: string;
}

/**
 * What the content of a reserved volume is written to, by a job on the storage host; with what proves, before the first
 * byte, that it is the one.
 */
export type FillTarget = {
  /** Where records of jobs are, an existing directory. */
  readonly jobsDirectory: string;
  /** Images are kept here for as long as it takes, each in a directory of its volume's id. Made where it is missing. */
  readonly stagingDirectory: string;
  readonly path: string;
} & (
  | {
      /** A device of the volume's size. */
      readonly kind: "device";
      /** What the device mapper calls it. */
      readonly deviceUuid: string;
      /** It reads as zeros where nothing has been written; otherwise all of it has to be written. */
      readonly isZeroed: boolean;
    }
  | {
      /** A file that the job makes, in place of one that is there. It may be smaller than the volume. */
      readonly kind: "file";
      readonly format: ImageFormat;
      /** A file that holds `identity` as long as the storage is the expected one. */
      readonly marker: string;
      readonly identity: string;
    }
);
