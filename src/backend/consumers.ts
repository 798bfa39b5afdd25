import {
  type Connector,
  type ConnectorDriver,
  type ConsumerConnection,
  type ConsumerDevice,
  type Filesystems,
  type Host,
  isStorageError,
  type MountState,
  type OperationContext,
  StorageError,
  type StorageProtocol,
} from "../contract/index.ts";
import { ExclusiveQueue } from "./exclusive.ts";

/**
 * The file whose `flock` serializes what changes sessions, mounts and fstab of a consumer. In `/run`, which only root can write
 * to: in `/run/lock` anybody could make it first, and keep it.
 */
export const consumerLockFile = "/run/breezeblock-consumer.lock";

export interface ConsumerParts {
  readonly host: Host;
  /** What the consumer's side of each protocol is carried out by. */
  readonly connectors: ReadonlyMap<StorageProtocol, ConnectorDriver>;
  readonly filesystems: Filesystems;
}

/** What a consumer has of our volumes over one protocol, by volume id. */
export interface Observation {
  readonly connections: ReadonlyMap<string, ConsumerConnection>;
  readonly mounts: ReadonlyMap<string, readonly MountState[]>;
}

/**
 * A machine that uses volumes. One per consumer and run: what it has is listed once for all attachments, with two
 * commands a protocol, and forgotten when this run changes something there.
 */
export class Consumer {
  readonly host: Host;
  readonly filesystems: Filesystems;
  readonly #connectors: ReadonlyMap<StorageProtocol, ConnectorDriver>;
  readonly #queue: ExclusiveQueue<OperationContext>;
  readonly #properties = new Map<StorageProtocol, Promise<Connector>>();
  readonly #observations = new Map<StorageProtocol, Promise<Observation>>();

  constructor({ host, connectors, filesystems }: ConsumerParts) {
    this.host = host;
    this.filesystems = filesystems;
    this.#connectors = connectors;
    this.#queue = new ExclusiveQueue((signal, use) =>
      host.withLock(consumerLockFile, { signal }, (executor) => use({ executor })),
    );
  }

  /** For messages: the host's name in the configuration. */
  get name(): string {
    return this.host.host;
  }

  /** @throws StorageError `NotSupported` */
  connector(protocol: StorageProtocol): ConnectorDriver {
    const driver = this.#connectors.get(protocol);
    if (driver !== undefined) return driver;
    throw new StorageError({
      kind: "NotSupported",
      action: `connect a consumer over ${protocol}`,
      reason: "Hosts cannot be logged in over this protocol",
      nextStep: "Give a connector, so that access is granted, and log in by other means",
      host: this.name,
    });
  }

  /** What this consumer calls itself to that protocol; asked once. */
  properties(protocol: StorageProtocol): Promise<Connector> {
    return once(this.#properties, protocol, () =>
      this.#locating(this.connector(protocol).connectorProperties({ executor: this.host })),
    );
  }

  /** What it has over that protocol, listed once until this run changes something there. */
  observe(protocol: StorageProtocol): Promise<Observation> {
    return once(this.#observations, protocol, () => this.#locating(this.#list(protocol)));
  }

  /** Runs `work` alone on this consumer, under its lock there. */
  async exclusive<T>(
    action: string,
    signal: AbortSignal | undefined,
    work: (context: OperationContext) => Promise<T>,
  ): Promise<T> {
    const working = this.#queue.run(signal, async (context) => {
      this.#observations.clear();
      try {
        return await work({ ...context, signal });
      } finally {
        this.#observations.clear();
      }
    });
    return this.#locating(working, action);
  }

  /** Waits for work under way. The host stays open: others may share it. */
  async close(): Promise<void> {
    await this.#queue.idle();
  }

  async #list(protocol: StorageProtocol): Promise<Observation> {
    const context = { executor: this.host };
    const connections = await this.connector(protocol).connections(context);
    const devices = [...connections].flatMap(([id, { device }]): [string, ConsumerDevice][] =>
      device === null ? [] : [[id, device]],
    );
    return { connections, mounts: await this.filesystems.mounts(new Map(devices), context) };
  }

  /** Errors say which host they are of. */
  async #locating<T>(working: Promise<T>, action = `use consumer "${this.name}"`): Promise<T> {
    try {
      return await working;
    } catch (error) {
      if (isStorageError(error)) throw error.with({ host: this.name });
      throw new StorageError({
        kind: "VolumeBackendError",
        action,
        reason: error instanceof Error ? error.message : String(error),
        host: this.name,
        cause: error,
      });
    }
  }
}

/**
 * Whether `error` says that nobody, or somebody else, is at the consumer's address: nothing was sent there. The errors of a
 * backend name it, and say nothing of a consumer.
 */
export function isAbsentConsumer(error: unknown): error is StorageError {
  return isStorageError(error, "BackendUnreachable", "HostKeyMismatch") && error.backend === undefined;
}

function once<K, T>(made: Map<K, Promise<T>>, key: K, make: () => Promise<T>): Promise<T> {
  const known = made.get(key);
  if (known !== undefined) return known;
  const making = make();
  made.set(key, making);
  return making;
}
