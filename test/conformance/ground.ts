import type { HostSettings } from "../../src/ssh/index.ts";
import { Lab } from "../lab/lab.ts";

/** How many machines use volumes there. */
export const labConsumers = 2;

/** Machines to try storage on: fresh, and nobody else's. */
export interface Ground {
  readonly storage: HostSettings;
  readonly consumers: readonly HostSettings[];
  /** Addresses of the storage host on the storage network. */
  readonly addresses: readonly string[];
  readonly volumeGroup: string;
  readonly thinPool: string;
}

/** Starts machines when they are first asked for. */
export class LazyGround {
  #lab: Promise<Lab> | undefined;

  async get(): Promise<Ground> {
    this.#lab ??= Lab.start({ consumers: labConsumers });
    const { storage, consumers } = await this.#lab;
    const [host] = storage;
    if (host === undefined) throw new Error("the lab has no storage host");
    return {
      storage: host.settings(),
      consumers: consumers.map((consumer) => consumer.settings()),
      addresses: [host.storageAddresses[0]],
      volumeGroup: "vg0",
      thinPool: "pool0",
    };
  }

  async close(): Promise<void> {
    const lab = await this.#lab?.catch(() => undefined);
    await lab?.stop();
  }
}
