import { type AttributePath, type Host, StorageError } from "../contract/index.ts";
import { drivers } from "../drivers/registry.ts";
import { type DebugLog, openHost } from "../ssh/index.ts";
import { targets } from "../targets/registry.ts";
import { Backend, type FleetEnd } from "./backend.ts";
import type { FleetSettings } from "./settings.ts";

export interface FleetOptions {
  readonly log?: DebugLog;
  /** For tests: another way to a host. */
  readonly openHost?: typeof openHost;
}

/** The configured hosts and backends of one run. Nothing is reached before it is needed. */
export class Fleet {
  readonly settings: FleetSettings;
  readonly backends: readonly Backend[];
  readonly #hosts: ReadonlyMap<string, Host>;

  constructor(settings: FleetSettings, options: FleetOptions = {}) {
    const open = options.openHost ?? openHost;
    const hosts = new Map<string, Host>();
    this.settings = settings;
    this.backends = settings.backends.map((backend) => {
      const hostSettings = settings.hosts[backend.host];
      if (hostSettings === undefined) throw new Error(`backend ${backend.name} names no host of the fleet`);
      const host =
        hosts.get(backend.host) ?? open(hostSettings, options.log === undefined ? {} : { log: options.log });
      hosts.set(backend.host, host);
      return new Backend({
        settings: backend,
        owner: settings.owner,
        host,
        driver: drivers[backend.technology.technology]({ backend: backend.name, ...backend.technology }),
        target: targets.local(),
      });
    });
    this.#hosts = hosts;
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

  /** Writes what is still pending (acknowledgements), then closes every connection. Idempotent. */
  async close(end: FleetEnd = { stateIsKept: false }): Promise<void> {
    await Promise.allSettled(this.backends.map((backend) => backend.close(end)));
    await Promise.allSettled([...this.#hosts.values()].map((host) => host.close()));
  }
}
