import {
  type Argument,
  type CommandResult,
  type Executor,
  type LockedContext,
  type OperationContext,
  type SnapshotRecord,
  StorageError,
  type VolumeRecord,
} from "../../contract/index.ts";
import { objectName } from "./layout.ts";
import { type Listing, parseListing, snapshotRecord, volumeRecord } from "./listing.ts";
import { exitCodes, listScript } from "./scripts.ts";
import { formatSidecar, type Sidecar, type SnapshotSidecar, type VolumeSidecar } from "./sidecar.ts";

/** One change to the directory: what it is for, and what it is decided from. */
export interface Operation {
  /** As an error names it: `create volume "db"`. */
  readonly action: string;
  readonly context: LockedContext;
  readonly listing: Listing;
}

/** What a script of a change is given. */
export interface ScriptInput {
  /** Whose metadata without data is swept on the way; `undefined` for nobody's. */
  readonly owner: string | undefined;
  readonly args: readonly string[];
  /** Given on standard input, one a line. */
  readonly lines: readonly string[];
}

/** Exit codes after which it is known what stands in the directory. */
const understoodExits: ReadonlySet<number> = new Set([0, exitCodes.needsCopy, exitCodes.cannotReflink]);

/** As many leftovers as one change sweeps; keeps its command line short. */
const sweptAtOnce = 200;

/** A backend's directory on a host: runs the scripts there, and makes errors of their failures. */
export class VolumeDirectory {
  readonly path: string;
  readonly #backend: string;
  /**
   * The last listing through each executor, kept right by our own writes. An executor that holds the lock is used for
   * nothing but one holding of it, so that nobody else writes meanwhile.
   */
  readonly #listings = new WeakMap<Executor, Listing>();

  constructor(path: string, backend: string) {
    this.path = path;
    this.#backend = backend;
  }

  async list(context: OperationContext): Promise<Listing> {
    const action = `list the volumes in ${this.path}`;
    const { stdout, stderr } = await this.ask(context, action, listScript);
    const listing = this.understand(context, action, () => parseListing(stdout, stderr, this.path));
    this.#listings.set(context.executor, listing);
    return listing;
  }

  /** Starts a change; it is decided from the listing made under the same holding of the lock. */
  async begin(action: string, context: LockedContext): Promise<Operation> {
    const listing = this.#listings.get(context.executor) ?? (await this.list(context));
    const operation = { action, context, listing };
    if (this.identity(operation) !== context.fresh.identity) {
      throw this.#mismatch(operation, `the directory ${this.path} has become another one`);
    }
    return operation;
  }

  /** Runs a script that needs no identity, with the directory as its first argument. A failure is thrown. */
  async ask(
    context: OperationContext,
    action: string,
    script: string,
    args: readonly Argument[] = [],
  ): Promise<CommandResult> {
    const result = await context.executor.run(["sh", "-c", script, "breezeblock", this.path, ...args], {
      signal: context.signal,
    });
    if (result.exitCode !== 0) throw this.failure(context, action, result);
    return result;
  }

  /** Runs a script that changes something. A failure is thrown. */
  async change(operation: Operation, script: string, input: ScriptInput): Promise<CommandResult> {
    const result = await this.attempt(operation, script, input);
    if (result.exitCode !== 0) throw this.failure(operation.context, operation.action, result);
    return result;
  }

  /** The same, where some exit codes are answers. */
  async attempt(operation: Operation, script: string, input: ScriptInput): Promise<CommandResult> {
    const { context, listing } = operation;
    const swept = leftovers(listing, input.owner);
    const argv = [
      "sh",
      "-c",
      script,
      "breezeblock",
      this.path,
      this.identity(operation),
      ...input.args,
      ...swept,
    ];
    const stdin = input.lines.map((line) => `${line}\n`).join("");
    // Whatever goes wrong from here on, what stands in the directory is to be looked up anew.
    this.#listings.delete(context.executor);
    const result = await context.executor.run(argv, { stdin, signal: context.signal });
    if (understoodExits.has(result.exitCode)) {
      for (const path of swept) listing.halfMade.delete(path);
      for (const object of listing.stale.keys()) if (swept.includes(object)) listing.stale.delete(object);
      this.#listings.set(context.executor, listing);
    }
    return result;
  }

  /**
   * Enters into the listing what a change has written, and returns the record of it.
   *
   * @param line the metadata as it stands, where the change has not written it
   */
  keepVolume(
    { listing }: Operation,
    sidecar: VolumeSidecar,
    sizeBytes: number,
    line = formatSidecar(sidecar),
  ): VolumeRecord {
    const object = objectName("volume", sidecar.fields.id);
    const record = volumeRecord(sidecar, sizeBytes, this.path, listing.firstNames.has(object));
    listing.volumes.set(record.id, record);
    listing.sidecars.set(object, { sidecar, line });
    return record;
  }

  /** Enters into the listing what a change has written, and returns the record of it. */
  keepSnapshot({ listing }: Operation, sidecar: SnapshotSidecar, sizeBytes: number): SnapshotRecord {
    const record = snapshotRecord(sidecar, sizeBytes, this.path);
    listing.snapshots.set(record.id, record);
    listing.sidecars.set(objectName("snapshot", record.id), { sidecar, line: formatSidecar(sidecar) });
    return record;
  }

  /** The same for either. */
  keep(operation: Operation, sidecar: Sidecar, sizeBytes: number): void {
    if (sidecar.kind === "volume") this.keepVolume(operation, sidecar, sizeBytes);
    else this.keepSnapshot(operation, sidecar, sizeBytes);
  }

  /** Takes out of the listing what a change has removed. */
  forget({ listing }: Operation, { kind, fields }: Sidecar): void {
    (kind === "volume" ? listing.volumes : listing.snapshots).delete(fields.id);
    listing.sidecars.delete(objectName(kind, fields.id));
  }

  /** The identity that a change is for. Throws where the directory has none. */
  identity(operation: Operation): string {
    const { identity } = operation.listing;
    if (identity !== null) return identity;
    throw this.#mismatch(operation, `the directory ${this.path} has no identity marker`);
  }

  #mismatch({ action, context }: Operation, reason: string): StorageError {
    return new StorageError({
      kind: "BackendIdentityMismatch",
      action,
      reason,
      nextStep: "Make sure that the right file system is mounted there.",
      backend: this.#backend,
      host: context.executor.host,
    });
  }

  failure(context: OperationContext, action: string, result: CommandResult): StorageError {
    return new StorageError({
      kind: result.exitCode === exitCodes.identityMismatch ? "BackendIdentityMismatch" : "VolumeBackendError",
      action,
      reason: wordsOf(result),
      backend: this.#backend,
      host: context.executor.host,
    });
  }

  /** Gives what `parse` makes of output. What it throws becomes a `VolumeBackendError`. */
  understand<T>(context: OperationContext, action: string, parse: () => T): T {
    try {
      return parse();
    } catch (cause) {
      throw new StorageError({
        kind: "VolumeBackendError",
        action,
        reason: cause instanceof Error ? cause.message : String(cause),
        backend: this.#backend,
        host: context.executor.host,
        cause,
      });
    }
  }

  /** A size in bytes, as a script prints it. */
  sizeFrom({ context, action }: Operation, stdout: Buffer): number {
    return this.understand(context, action, () => {
      const text = stdout.toString("latin1").trim();
      if (!/^\d+$/.test(text)) throw new Error(`the new size is not known: ${JSON.stringify(text)}`);
      return Number(text);
    });
  }
}

/** What killed commands left, for the next change to remove; metadata without data only by its owner. */
export function leftovers(listing: Listing, owner: string | undefined): readonly string[] {
  const stale = [...listing.stale].filter(([, whose]) => whose === owner).map(([object]) => object);
  return [...listing.halfMade, ...stale].slice(0, sweptAtOnce);
}

/** What a failed command said. */
export function wordsOf(result: CommandResult): string {
  const words = result.stderr.toString("utf8").trim();
  return words === "" ? `the command ended with exit code ${result.exitCode}` : words;
}
