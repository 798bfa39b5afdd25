import {
  type Argument,
  type CommandResult,
  type Inventory,
  type LockedContext,
  type OperationContext,
  StorageError,
} from "../../contract/index.ts";
import { type Listing, parseListing } from "./listing.ts";
import { exitCodes, listScript } from "./scripts.ts";

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

/** As many leftovers as one change sweeps; keeps its command line short. */
const sweptAtOnce = 200;

/** A backend's directory on a host: runs the scripts there, and makes errors of their failures. */
export class VolumeDirectory {
  readonly path: string;
  readonly #backend: string;
  /** What each inventory was made from, for as long as its holder keeps it. */
  readonly #listings = new WeakMap<Inventory, Listing>();

  constructor(path: string, backend: string) {
    this.path = path;
    this.#backend = backend;
  }

  async list(context: OperationContext): Promise<Listing> {
    const action = `list the volumes in ${this.path}`;
    const { stdout, stderr } = await this.ask(context, action, listScript);
    const listing = this.understand(context, action, () => parseListing(stdout, stderr, this.path));
    this.#listings.set(listing.inventory, listing);
    return listing;
  }

  /** Decided from what the context's inventory was made from; from a new listing where that came from elsewhere. */
  async begin(action: string, context: LockedContext): Promise<Operation> {
    const listing = this.#listings.get(context.fresh) ?? (await this.list(context));
    return { action, context, listing };
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
    return context.executor.run(
      [
        ...["sh", "-c", script, "breezeblock", this.path, this.identity(operation)],
        ...input.args,
        ...leftovers(listing, input.owner),
      ],
      { stdin: input.lines.map((line) => `${line}\n`).join(""), signal: context.signal },
    );
  }

  /** The identity that a change is for. Throws where the directory has none. */
  identity({ action, context, listing }: Operation): string {
    const { identity } = listing.inventory;
    if (identity !== null) return identity;
    throw new StorageError({
      kind: "BackendIdentityMismatch",
      action,
      reason: `the directory ${this.path} has no identity marker`,
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
  const stale = listing.stale.filter((left) => left.owner === owner).map(({ object }) => object);
  return [...listing.halfMade, ...stale].slice(0, sweptAtOnce);
}

/** What a failed command said. */
export function wordsOf(result: CommandResult): string {
  const words = result.stderr.toString("utf8").trim();
  return words === "" ? `the command ended with exit code ${result.exitCode}` : words;
}
