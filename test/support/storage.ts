import { randomUUID } from "node:crypto";
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join, relative } from "node:path";
import {
  type EmbeddedHost,
  type EmbeddedHostOptions,
  startEmbeddedHost,
} from "../../src/embedded-host/index.ts";
import { makeTempDirectory, removeDirectory } from "./temp-directory.ts";
import { type WaitOptions, waitFor } from "./wait-for.ts";

/** An object's metadata file, as far as tests look. */
export interface Sidecar {
  readonly id: string;
  readonly kind: "volume" | "snapshot";
  readonly name: string;
  readonly owner: string;
  readonly phase: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly attachments?: readonly { readonly id: string; readonly phase?: string }[];
  readonly [field: string]: unknown;
}

/** The directory of a file backend, looked at and meddled with from behind. */
export class StorageDirectory {
  readonly path: string;

  /** A new directory below `parent`. */
  constructor(parent: string) {
    this.path = join(parent, `volumes-${randomUUID().slice(0, 8)}`);
    mkdirSync(this.path);
  }

  /** Every object that has a metadata file. */
  objects(kind: Sidecar["kind"] = "volume"): readonly Sidecar[] {
    return readdirSync(this.path)
      .filter((name) => name.startsWith(`${kind}-`) && name.endsWith(".json"))
      .map((name) => JSON.parse(readFileSync(join(this.path, name), "utf8")) as Sidecar);
  }

  names(kind: Sidecar["kind"] = "volume"): readonly string[] {
    return this.objects(kind)
      .map(({ name }) => name)
      .sort();
  }

  /** The one object of that name. Fails when there is none, or more than one. */
  object(name: string, kind: Sidecar["kind"] = "volume"): Sidecar {
    const [found, another] = this.objects(kind).filter((object) => object.name === name);
    if (found === undefined || another !== undefined) {
      throw new Error(`${another === undefined ? "No" : "More than one"} ${kind} "${name}" in ${this.path}.`);
    }
    return found;
  }

  /**
   * Waits until the host has on record, of every object and attachment, that a state holds it. A refresh writes that
   * down one by one, and ends after its engine.
   */
  async acknowledged(options?: WaitOptions): Promise<void> {
    await waitFor(
      "The acknowledgement of all objects",
      () =>
        [...this.objects("volume"), ...this.objects("snapshot")]
          .flatMap((object) => [object, ...(object.attachments ?? [])])
          .every(({ phase }) => phase === "acknowledged"),
      options,
    );
  }

  metadataFile(object: Sidecar): string {
    return join(this.path, `${object.kind}-${object.id}.json`);
  }

  dataFile(object: Sidecar, format: "raw" | "qcow2" = "raw"): string {
    return join(this.path, `${object.kind}-${object.id}.${format}`);
  }

  /** Changes fields of an object's metadata behind breezeblock's back. */
  edit(object: Sidecar, changes: Readonly<Record<string, unknown>>): void {
    const file = this.metadataFile(object);
    const fields = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    writeFileSync(file, `${JSON.stringify({ ...fields, ...changes })}\n`);
  }

  /** Removes an object behind breezeblock's back. */
  remove(object: Sidecar): void {
    for (const file of [this.metadataFile(object), this.dataFile(object), this.dataFile(object, "qcow2")]) {
      rmSync(file, { force: true });
    }
  }

  sizeOf(object: Sidecar): number {
    return statSync(this.dataFile(object)).size;
  }

  resize(object: Sidecar, bytes: number): void {
    truncateSync(this.dataFile(object), bytes);
  }

  /** Writes into an object's data as a consumer would. */
  writeData(object: Sidecar, text: string, offset = 4096): void {
    const file = openSync(this.dataFile(object), "r+");
    try {
      writeSync(file, text, offset);
    } finally {
      closeSync(file);
    }
  }

  readData(object: Sidecar, length: number, offset = 4096): string {
    const file = openSync(this.dataFile(object), "r");
    try {
      const buffer = Buffer.alloc(Math.min(length, fstatSync(file).size));
      readSync(file, buffer, 0, buffer.length, offset);
      return buffer.toString();
    } finally {
      closeSync(file);
    }
  }

  /** Name, size and time of change of everything there: equal before and after means that nothing was touched. */
  listing(): readonly string[] {
    return readdirSync(this.path, { recursive: true, withFileTypes: true })
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => {
        const { size, mtimeMs } = statSync(path);
        return `${relative(this.path, path)} ${size} ${mtimeMs}`;
      })
      .sort();
  }

  /** What is there besides folders and what every backend keeps. */
  leftBehind(): readonly string[] {
    return readdirSync(this.path, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(this.path, join(entry.parentPath, entry.name)))
      .filter((path) => path !== ".breezeblock/identity" && path !== ".breezeblock/lock")
      .sort();
  }
}

/** An embedded host with a directory for each test. */
export class StorageHost {
  readonly ssh: EmbeddedHost;
  readonly #own: string | undefined;

  private constructor(ssh: EmbeddedHost, own: string | undefined) {
    this.ssh = ssh;
    this.#own = own;
  }

  static async start(options: Partial<EmbeddedHostOptions> = {}): Promise<StorageHost> {
    const own = options.directory === undefined ? makeTempDirectory() : undefined;
    const ssh = await startEmbeddedHost({ ...options, directory: options.directory ?? own ?? "" });
    return new StorageHost(ssh, own);
  }

  newDirectory(): StorageDirectory {
    return new StorageDirectory(this.ssh.directory);
  }

  /** An entry of the provider's `hosts`. */
  get settings(): Readonly<Record<string, unknown>> {
    const { address, port, user, privateKeyFile, hostKey } = this.ssh;
    return { address, port, user, private_key_file: privateKeyFile, host_key: hostKey };
  }

  async stop(): Promise<void> {
    await this.ssh.stop();
    if (this.#own !== undefined) removeDirectory(this.#own);
  }
}
