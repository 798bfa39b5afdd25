import {
  type Executor,
  type ExportState,
  type Host,
  type Inventory,
  isStorageError,
  type LockedContext,
  StorageError,
  type TargetDriver,
  type VolumeDriver,
  type VolumeStats,
} from "../contract/index.ts";
import { AcknowledgementQueue } from "./acknowledgements.ts";
import { candidatesOf } from "./candidates.ts";
import { ExclusiveQueue, leavesDoubt } from "./exclusive.ts";
import { HeldSpace } from "./held-space.ts";
import { Listing } from "./listing.ts";
import { OwnCopies } from "./own-copies.ts";
import { type BackendLog, silentBackendLog } from "./progress.ts";
import type { BackendSettings } from "./settings.ts";
import { configuredStats } from "./stats.ts";

/** How a run ended. */
export interface FleetEnd {
  /**
   * The engine has ended in order, so its state holds what was returned to it. Not so when it was killed: then the next
   * run has to find what this one made.
   */
  readonly stateIsKept: boolean;
}

/** What work under a backend's lock is given: the driver's context, with a listing that the work keeps right. */
export interface LockedBackend extends LockedContext {
  readonly fresh: Listing;
  readonly space: HeldSpace;
}

export interface BackendParts {
  readonly settings: BackendSettings;
  readonly owner: string;
  readonly host: Host;
  readonly driver: VolumeDriver;
  readonly target: TargetDriver;
  readonly log?: BackendLog | undefined;
}

/**
 * A configured driver with its host, target, lock and inventory. One per backend and run: its listing is made once
 * and then kept right by our own writes. What can be done with it is in `volumes.ts`, `snapshots.ts` and
 * `attachments.ts`.
 */
export class Backend {
  readonly settings: BackendSettings;
  readonly owner: string;
  readonly host: Host;
  readonly driver: VolumeDriver;
  readonly target: TargetDriver;
  readonly log: BackendLog;
  /** Ids that this process has read, received as prior state or returned: no create takes them up. */
  readonly known = new Set<string>();
  readonly ownCopies = new OwnCopies();
  readonly #imported = new Set<string>();
  readonly #queue: ExclusiveQueue<LockedBackend>;
  readonly #acknowledgements: AcknowledgementQueue;
  /** Identities that states were made with; while there is any, no new identity is ever made. */
  readonly #expected = new Set<string>();
  #creationPlanned = false;
  #identity: string | null = null;
  #setup: Promise<void> | undefined;
  #targetSetup: Promise<void> | undefined;
  /** What the setup check saw, until it has served as a listing. */
  #seen: Inventory | null = null;
  #exports: Promise<ReadonlyMap<string, ExportState>> | undefined;
  #listing: Promise<Listing> | undefined;
  #establishing: Promise<void> | undefined;
  #stats: Promise<VolumeStats> | undefined;

  constructor(parts: BackendParts) {
    this.settings = parts.settings;
    this.owner = parts.owner;
    this.host = parts.host;
    this.driver = parts.driver;
    this.target = parts.target;
    this.log = parts.log ?? silentBackendLog;
    this.#queue = new ExclusiveQueue((signal, use) => this.#holdLock(signal, use));
    this.#acknowledgements = new AcknowledgementQueue((ids) =>
      this.exclusive("acknowledge new objects", undefined, async (locked) => {
        await this.driver.acknowledge(ids, locked);
        acknowledgeInListing(locked.fresh, new Set(ids));
      }),
    );
  }

  get name(): string {
    return this.settings.name;
  }

  /** Whether `name`, as a state or the user may write it, means this backend. */
  answersTo(name: string): boolean {
    return name === this.name || this.settings.aliases.includes(name);
  }

  /**
   * SET-1 to SET-3. Proves the backend usable, once; every later use fails with the first cause.
   *
   * @throws StorageError `BackendUninitialized`, or why the host could not be reached
   */
  ready(): Promise<void> {
    // Not bound to the caller's signal: the check serves every caller of the run.
    this.#setup ??= this.#checkSetup(`use backend "${this.name}"`, async () => {
      await this.driver.doSetup();
      this.#seen = await this.driver.checkForSetupError({ executor: this.host });
    });
    return this.#setup;
  }

  /**
   * The same for what exports the volumes. Not part of `ready`: a host that exports nothing needs no target.
   *
   * @throws StorageError `BackendUninitialized`, or why the host could not be reached
   */
  targetReady(): Promise<void> {
    this.#targetSetup ??= this.#checkSetup(`export volumes of backend "${this.name}"`, () =>
      this.target.checkForSetupError({ executor: this.host }),
    );
    return this.#targetSetup;
  }

  /** Every export of ours, by volume id, listed once until `exportsChanged`. */
  async exports(): Promise<ReadonlyMap<string, ExportState>> {
    await this.targetReady();
    this.#exports ??= this.target.exports({ executor: this.host });
    return this.#exports;
  }

  /** Tells that this run changed something on the target's side. */
  exportsChanged(): void {
    this.#exports = undefined;
  }

  /** The run's listing, made on first use with one command. */
  async listing(): Promise<Listing> {
    await this.ready();
    this.#listing ??= this.#list();
    return this.#listing;
  }

  /**
   * The listing, if the backend is the one that a state was made with; only then does "not listed" mean "gone".
   *
   * @throws StorageError `BackendIdentityMismatch`
   */
  async listingOf(expectedIdentity: string): Promise<Listing> {
    const listing = await this.listing();
    this.#requireIdentity(listing.identity, expectedIdentity);
    return listing;
  }

  /**
   * Part of planning: once anything is to be made here, every object in state must have been made on this same storage.
   * At apply only the new one may be heard of, and it would be made on whatever is there.
   *
   * @throws StorageError `BackendIdentityMismatch`
   */
  async checkIdentity(planned: "creation" | "other"): Promise<void> {
    this.#creationPlanned ||= planned === "creation";
    if (!this.#creationPlanned) return;
    const { identity } = await this.listing();
    for (const expected of this.#expected) this.#requireIdentity(identity, expected);
  }

  /** What the storage called itself when it was last listed in this run; null when it had no name or was never listed. */
  get lastIdentity(): string | null {
    return this.#identity;
  }

  /**
   * Gives storage that nothing was ever made on its identity; for what makes the first object there.
   *
   * @throws StorageError `BackendIdentityMismatch` where a state, or the storage itself, holds objects already
   */
  async establishIdentity(): Promise<void> {
    const listing = await this.listing();
    if (listing.identity !== null) return;
    const isEmpty = listing.volumes.size + listing.snapshots.size + listing.damaged.size === 0;
    if (!isEmpty || this.#expected.size > 0) this.#requireSomeIdentity(listing);
    this.#establishing ??= this.driver
      .establishIdentity({ executor: this.host })
      .then(() => {
        this.#listing = undefined;
      })
      .finally(() => {
        this.#establishing = undefined;
      });
    await this.#establishing;
  }

  /** Tells of an object that a state holds. No I/O: acknowledging it, where needed, waits for the next listing. */
  noteState(uuid: string, identity: string): void {
    this.known.add(uuid);
    this.#expected.add(identity);
    if (!this.#imported.has(uuid)) this.#acknowledgements.noteState(uuid);
  }

  /** Tells of an object that a create returns to the engine. */
  noteReturned(uuid: string): void {
    this.known.add(uuid);
    this.#acknowledgements.noteReturned(uuid);
  }

  /** Tells of an object that is offered for import. Whether a state holds it in the end is for a later run to see. */
  noteImport(uuid: string): void {
    this.known.add(uuid);
    this.#imported.add(uuid);
  }

  /** Resolves when every object that a state is known to hold is acknowledged on the host. */
  async acknowledged(): Promise<void> {
    this.#acknowledgements.listed(await this.listing());
    await this.#acknowledgements.flush();
  }

  /** STA-1. Measured once a run unless `refresh`. */
  async stats(options: { readonly refresh?: boolean } = {}): Promise<VolumeStats> {
    await this.ready();
    if (options.refresh === true) this.#stats = undefined;
    this.#stats ??= this.#measure(this.host);
    return this.#stats;
  }

  /**
   * Runs `work` alone on this backend, under its lock on the host, with a listing made under that lock.
   *
   * @param action for errors, a verb phrase
   */
  async exclusive<T>(
    action: string,
    signal: AbortSignal | undefined,
    work: (locked: LockedBackend) => Promise<T>,
  ): Promise<T> {
    try {
      this.#requireSomeIdentity(await this.listing());
      return await this.#queue.run(signal, (locked) => work({ ...locked, signal }));
    } catch (error) {
      if (leavesDoubt(error)) this.#listing = undefined;
      if (isStorageError(error)) throw error.with({ backend: this.name, host: this.host.host });
      throw new StorageError({
        kind: "VolumeBackendError",
        action,
        reason: error instanceof Error ? error.message : String(error),
        backend: this.name,
        host: this.host.host,
        cause: error,
      });
    }
  }

  /** Writes pending acknowledgements and waits for work under way. The host stays open: others may share it. */
  async close({ stateIsKept }: FleetEnd): Promise<void> {
    if (stateIsKept) this.#acknowledgements.stateIsKept();
    await this.#acknowledgements.flush().catch(() => undefined);
    await this.#queue.idle();
  }

  async #checkSetup(action: string, check: () => Promise<void>): Promise<void> {
    try {
      await check();
    } catch (error) {
      if (isStorageError(error, "BackendUnreachable", "HostKeyMismatch", "InvalidConfiguration")) {
        throw error.with({ backend: this.name, host: this.host.host });
      }
      throw new StorageError({
        kind: "BackendUninitialized",
        action,
        reason: isStorageError(error) ? error.reason : String(error),
        nextStep: isStorageError(error) ? error.nextStep : undefined,
        backend: this.name,
        host: this.host.host,
        cause: error,
      });
    }
  }

  async #list(): Promise<Listing> {
    const seen = this.#seen;
    this.#seen = null;
    const listing = new Listing(seen ?? (await this.driver.inventory({ executor: this.host })));
    this.#identity = listing.identity;
    this.#acknowledgements.listed(listing);
    return listing;
  }

  async #measure(executor: Executor): Promise<VolumeStats> {
    const measured = await this.driver.getVolumeStats({ executor });
    const configured = configuredStats(this.settings.placement ?? {});
    return {
      ...measured,
      ...configured,
      volume_backend_name: this.name,
      storage_protocol: this.target.protocol,
      ...(measured.pools === undefined
        ? {}
        : { pools: measured.pools.map((pool) => ({ ...pool, ...configured })) }),
    };
  }

  #requireSomeIdentity({ identity }: Listing): void {
    if (identity !== null) return;
    const [expected] = this.#expected;
    throw this.#unrecognized(
      expected === undefined
        ? "The storage there has no breezeblock identity: it is not mounted, was emptied, or has lost it"
        : noIdentity(expected),
    );
  }

  #requireIdentity(found: string | null, expected: string): void {
    if (found === expected) return;
    throw this.#unrecognized(
      found === null
        ? noIdentity(expected)
        : `The storage there has the identity ${found}, but the state was made with ${expected}: it is another one`,
    );
  }

  #unrecognized(reason: string): StorageError {
    return new StorageError({
      kind: "BackendIdentityMismatch",
      action: `recognize backend "${this.name}"`,
      reason,
      nextStep:
        "Nothing was changed, and nothing counts as deleted. Mount or import the right storage, or correct the backend's settings",
      backend: this.name,
      host: this.host.host,
    });
  }

  async #holdLock(signal: AbortSignal, use: (context: LockedBackend) => Promise<void>): Promise<void> {
    const before = (await this.listing()).identity;
    await this.host.withLock(this.driver.lockFile, { signal }, async (executor) => {
      const fresh = new Listing(await this.driver.inventory({ executor }));
      if (before !== null) this.#requireIdentity(fresh.identity, before);
      this.#identity = fresh.identity;
      this.#listing = Promise.resolve(fresh);
      try {
        const space = new HeldSpace(async () => candidatesOf(this, await this.#measure(executor)));
        await use({ executor, fresh, space });
      } finally {
        this.#stats = undefined;
      }
    });
  }
}

function noIdentity(expected: string): string {
  return `The storage there has no breezeblock identity, but the state was made with ${expected}: it is not mounted, was emptied, or is another`;
}

function acknowledgeInListing(listing: Listing, ids: ReadonlySet<string>): void {
  for (const volume of [...listing.volumes.values()]) {
    const attachments = volume.attachments.map((attachment) =>
      ids.has(attachment.id) ? { ...attachment, phase: "acknowledged" as const } : attachment,
    );
    const own = ids.has(volume.id) && volume.phase === "unacknowledged";
    listing.keepVolume({ ...volume, attachments, ...(own ? { phase: "acknowledged" as const } : {}) });
  }
  for (const snapshot of [...listing.snapshots.values()]) {
    if (ids.has(snapshot.id) && snapshot.phase === "unacknowledged") {
      listing.keepSnapshot({ ...snapshot, phase: "acknowledged" });
    }
  }
}
