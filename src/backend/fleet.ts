import { type AttributePath, type Host, StorageError } from "../contract/index.ts";
import { type HostSettings, openHost } from "../ssh/index.ts";
import { Backend, type FleetEnd } from "./backend.ts";
import { Consumer } from "./consumers.ts";
import type { BackendLog } from "./progress.ts";
import { type Rooms, rooms } from "./rooms.ts";
import type { FleetSettings } from "./settings.ts";

export interface FleetOptions {
  readonly log?: BackendLog;
  /** For tests: another way to a host. */
  readonly openHost?: typeof openHost;
  /** For tests: others in the place of the real ones. */
  readonly rooms?: Partial<Rooms>;
}

/** The configured hosts and backends of one run, and the consumers that it meets. Nothing is reached before it is needed. */
export class Fleet {
  readonly settings: FleetSettings;
  readonly backends: readonly Backend[];
  readonly #rooms: Rooms;
  readonly #open: (settings: HostSettings) => Host;
  /** By what a host's settings are. */
  readonly #hosts = new Map<string, Host>();
  readonly #consumers = new Map<Host, Consumer>();

  constructor(settings: FleetSettings, options: FleetOptions = {}) {
    const open = options.openHost ?? openHost;
    this.settings = settings;
    this.#rooms = { ...rooms, ...options.rooms };
    this.#open = (host) => open(host, options.log === undefined ? {} : { log: options.log });
    this.backends = settings.backends.map((backend) => {
      const host = settings.hosts[backend.host];
      if (host === undefined) throw new Error(`backend ${backend.name} names no host of the fleet`);
      return new Backend({
        settings: backend,
        owner: settings.owner,
        host: this.#host(host),
        driver: this.#rooms.driver(backend),
        target: this.#rooms.target(backend.target ?? { target: "local" }),
        log: options.log,
      });
    });
  }

  /**
   * The backend that `name` means: its name or an alias.
   *
   * @throws StorageError `InvalidInput` at `attribute`, listing the names there are
   */
  backend(name: string, attribute: AttributePath): Backend {
    const found = this.backends.find((backend) => backend.answersTo(name));
    if (found !== undefined) return found;
    const names = this.backends.map((backend) => `"${backend.name}"`).join(", ");
    throw new StorageError({
      kind: "InvalidInput",
      action: `use backend "${name}"`,
      reason: `The provider configuration has no backend of that name; it has ${names === "" ? "none" : names}`,
      nextStep:
        "Correct the name, add the backend, or list its former name in the aliases of the backend that it is now",
      attribute,
    });
  }

  /** The machine with these settings as a consumer of volumes; the same one for the same settings. */
  consumer(settings: HostSettings): Consumer {
    const host = this.#host(settings);
    const known = this.#consumers.get(host);
    if (known !== undefined) return known;
    const consumer = new Consumer({
      host,
      connectors: this.#rooms.connectors(),
      filesystems: this.#rooms.filesystems(),
    });
    this.#consumers.set(host, consumer);
    return consumer;
  }

  /** Writes what is still pending (acknowledgements), then closes every connection. Idempotent. */
  async close(end: FleetEnd = { stateIsKept: false }): Promise<void> {
    await Promise.allSettled([...this.#consumers.values()].map((consumer) => consumer.close()));
    await Promise.allSettled(this.backends.map((backend) => backend.close(end)));
    await Promise.allSettled([...this.#hosts.values()].map((host) => host.close()));
  }

  #host(settings: HostSettings): Host {
    const key = JSON.stringify(settings);
    const known = this.#hosts.get(key);
    if (known !== undefined) return known;
    const host = this.#open(settings);
    this.#hosts.set(key, host);
    return host;
  }
}
