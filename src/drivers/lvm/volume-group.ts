import {
  type CommandResult,
  type Executor,
  type LockedContext,
  type OperationContext,
  StorageError,
} from "../../contract/index.ts";
import { type Listing, listingOf } from "./listing.ts";
import { lvmUuid } from "./names.ts";
import { parseReport, reportArguments, type VolumeGroup } from "./report.ts";
import { exitCodes, toolsScript, usersScript } from "./scripts.ts";
import { adviceFor, wordsOf } from "./words.ts";

/** One change to the volume group: what it is for, and what it is decided from. */
export interface Operation {
  /** As an error names it: `create volume "db"`. */
  readonly action: string;
  readonly context: LockedContext;
  readonly listing: Listing;
}

/** A backend's volume group on a host: runs the scripts there, and makes errors of their failures. */
export class VolumeGroupOnHost {
  readonly name: string;
  readonly #backend: string;
  /**
   * The last listing through each executor, kept right by our own writes. An executor that holds the lock is used for
   * nothing but one holding of it, so that nobody else writes meanwhile.
   */
  readonly #listings = new WeakMap<Executor, Listing>();

  constructor(name: string, backend: string) {
    this.name = name;
    this.#backend = backend;
  }

  async list(context: OperationContext): Promise<Listing> {
    const action = `list the volume group ${this.name}`;
    const group = await this.#report(context, action, reportArguments(this.name));
    const listing = this.understand(context, action, () => listingOf(group));
    this.#listings.set(context.executor, listing);
    return listing;
  }

  async measure(context: OperationContext): Promise<VolumeGroup> {
    return this.#report(context, `measure the volume group ${this.name}`, reportArguments(this.name));
  }

  /** The same, after the tools on the host have been looked at. */
  async examine(context: OperationContext, action: string, thin: boolean): Promise<VolumeGroup> {
    return this.#report(context, action, [
      ...["sh", "-c", toolsScript, "breezeblock", thin ? "thin" : "thick"],
      ...reportArguments(this.name),
    ]);
  }

  /** Who uses these logical volumes (`volume-group/logical-volume`), in words that go on from "it". */
  async users(context: OperationContext, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (names.length === 0) return new Map();
    const argv = ["sh", "-c", usersScript, "breezeblock", ...names];
    const result = await context.executor.run(argv, { signal: context.signal });
    if (result.exitCode !== 0) throw this.failure(context, "find out who uses logical volumes", result);
    const users = new Map<string, string>();
    for (const line of result.stdout.toString("utf8").split("\n")) {
      const [name = "", words = ""] = line.split("\t");
      const before = users.get(name);
      users.set(name, before === undefined ? words : `${before} and ${words}`);
    }
    return users;
  }

  /** What a volume group holds; `null` where that cannot be understood, which is for `list` to tell. */
  seen(group: VolumeGroup): Listing | null {
    try {
      return listingOf(group);
    } catch {
      return null;
    }
  }

  /** Starts a change; it is decided from the listing made under the same holding of the lock. */
  async begin(action: string, context: LockedContext): Promise<Operation> {
    const listing = this.#listings.get(context.executor) ?? (await this.list(context));
    if (listing.identity !== context.fresh.identity) {
      throw new StorageError({
        kind: "BackendIdentityMismatch",
        action,
        reason: `the volume group ${this.name} has become another one`,
        nextStep: "Make sure that the right disks are attached.",
        backend: this.#backend,
        host: context.executor.host,
      });
    }
    return { action, context, listing };
  }

  /** Runs a script that changes something. A failure is thrown. */
  async change(
    operation: Operation,
    script: string,
    args: readonly string[],
    options: { readonly stdin?: string; readonly timeoutMs?: number } = {},
  ): Promise<CommandResult> {
    const { context, listing, action } = operation;
    // Should anything go wrong from here on, what is there is to be looked up anew.
    this.#listings.delete(context.executor);
    const result = await context.executor.run(["sh", "-c", script, "breezeblock", ...args], {
      ...options,
      signal: context.signal,
    });
    if (result.exitCode !== 0) throw this.failure(context, action, result);
    this.#listings.set(context.executor, listing);
    return result;
  }

  failure(context: OperationContext, action: string, result: CommandResult): StorageError {
    const reason = wordsOf(result);
    const isBusy = result.exitCode === exitCodes.inUse || result.exitCode === exitCodes.hasSnapshots;
    return new StorageError({
      kind: isBusy ? "VolumeIsBusy" : "VolumeBackendError",
      action,
      reason,
      nextStep: adviceFor(result.exitCode, reason),
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

  /** A logical volume's UUID, from the device mapper's, as a script prints it. */
  uuidFrom({ context, action, listing }: Operation, { stdout }: CommandResult): string {
    return this.understand(context, action, () => {
      const [, group, volume] = /^LVM-(.{32})(.{32})$/.exec(stdout.toString("latin1").trim()) ?? [];
      if (group === undefined || volume === undefined) {
        throw new Error(`the new device is none of LVM's: ${JSON.stringify(stdout.toString("latin1"))}`);
      }
      if (lvmUuid(group) !== listing.identity) {
        throw new Error(`the volume group ${this.name} became another one while this was made in it`);
      }
      return lvmUuid(volume);
    });
  }

  async #report(context: OperationContext, action: string, argv: readonly string[]): Promise<VolumeGroup> {
    const result = await context.executor.run(argv, { signal: context.signal });
    if (result.exitCode !== 0) throw this.failure(context, action, result);
    return this.understand(context, action, () => parseReport(result.stdout));
  }
}
