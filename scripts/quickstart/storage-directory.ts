import { open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A volume or snapshot, as its two files in the directory show it. */
export interface StoredObject {
  readonly kind: "volume" | "snapshot";
  readonly name: string;
  /** File name of the data. */
  readonly file: string;
  /** Size of the file with the data. */
  readonly sizeBytes: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Hosts that have it attached. */
  readonly attachedTo: readonly string[];
}

/** What stands in a metadata file, as far as it is looked at; see docs/adr/0003-file-driver-layout.md. */
interface Metadata {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly attachments?: readonly { readonly connector: { readonly host?: string } }[];
}

/**
 * The directory on the storage host, looked at and meddled with as somebody who is logged in there would: with none of
 * breezeblock's own code.
 */
export class StorageDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Every volume and snapshot whose data is there, volumes first, by name. */
  async objects(): Promise<readonly StoredObject[]> {
    const files = await this.files();
    const data = files.filter((file) => file.endsWith(".raw"));
    const objects = await Promise.all(data.map((file) => this.#object(file)));
    return objects.sort((a, b) => b.kind.localeCompare(a.kind) || a.name.localeCompare(b.name));
  }

  /** Names of all files but those for the directory's own use. */
  async files(): Promise<readonly string[]> {
    return (await readdir(this.path)).filter((name) => name !== ".breezeblock").sort();
  }

  /** Writes at the beginning of the data, as a user of the volume would. */
  async write(object: StoredObject, text: string): Promise<void> {
    const handle = await open(join(this.path, object.file), "r+");
    try {
      await handle.write(text, 0);
    } finally {
      await handle.close();
    }
  }

  /** The first `length` bytes of the data. */
  async read(object: StoredObject, length: number): Promise<string> {
    const handle = await open(join(this.path, object.file), "r");
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0);
      return buffer.subarray(0, bytesRead).toString();
    } finally {
      await handle.close();
    }
  }

  /** Deletes the data. */
  async deleteData(object: StoredObject): Promise<void> {
    await rm(join(this.path, object.file));
  }

  /** Writes other labels into the metadata. */
  async changeLabels(object: StoredObject, labels: Readonly<Record<string, string>>): Promise<void> {
    const metadata = await this.#metadata(object.file);
    await writeFile(this.#metadataFile(object.file), `${JSON.stringify({ ...metadata, labels })}\n`);
  }

  async #object(file: string): Promise<StoredObject> {
    const { size } = await stat(join(this.path, file));
    const { name, labels, attachments = [] } = await this.#metadata(file);
    return {
      kind: file.startsWith("snapshot-") ? "snapshot" : "volume",
      name,
      file,
      sizeBytes: size,
      labels,
      attachedTo: attachments.map(({ connector }) => connector.host ?? ""),
    };
  }

  async #metadata(file: string): Promise<Metadata> {
    return JSON.parse(await readFile(this.#metadataFile(file), "utf8")) as Metadata;
  }

  #metadataFile(file: string): string {
    return join(this.path, file.replace(/\.raw$/, ".json"));
  }
}
