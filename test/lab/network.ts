import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { storageNetworks } from "./identity.ts";
import { killProcess, type ProcessIdentity } from "./process-identity.ts";
import { type Lifetime, monitorOf, startQemu } from "./qemu.ts";
import { withQmp } from "./qmp.ts";

/** What is kept of a running network, for another process to go on with it. */
export interface NetworkRecord {
  readonly directory: string;
  readonly process: ProcessIdentity;
}

/**
 * The storage networks between guests: a hub each, in a QEMU of its own that has no machine. Guests come and go
 * by a unix socket for each of their NICs, so that any of them may be killed; frames never leave these sockets.
 */
export class Network {
  readonly record: NetworkRecord;

  constructor(record: NetworkRecord) {
    this.record = record;
  }

  static async start(directory: string, lifetime: Lifetime): Promise<Network> {
    mkdirSync(directory);
    const process = await startQemu(directory, ["-machine", "none"], lifetime);
    return new Network({ directory, process });
  }

  /** Makes plugs for the NICs of guest `name`, new ones if it had some; gives what goes into `-netdev`. */
  async plug(name: string): Promise<string[]> {
    await this.unplug(name);
    return withQmp(monitorOf(this.record.directory), async (hub) => {
      const clients: string[] = [];
      for (const index of storageNetworks.keys()) {
        const path = join(this.record.directory, plugName(name, index));
        const id = plugName(name, index);
        await hub.execute("netdev_add", { type: "stream", id, server: true, addr: { type: "unix", path } });
        await hub.execute("netdev_add", {
          type: "hubport",
          id: portName(name, index),
          hubid: index,
          netdev: id,
        });
        clients.push(`stream,server=off,addr.type=unix,addr.path=${path}`);
      }
      return clients;
    });
  }

  /** Takes the plugs of guest `name` away, if it has any. */
  async unplug(name: string): Promise<void> {
    await withQmp(monitorOf(this.record.directory), async (hub) => {
      for (const index of storageNetworks.keys()) {
        for (const id of [portName(name, index), plugName(name, index)]) {
          await hub.execute("netdev_del", { id }).catch(ignoreMissing);
        }
      }
    });
  }

  /** Lets frames between the hub and a NIC of guest `name` through, or loses them; the guest's link stays up. */
  async setLink(name: string, index: number, up: boolean): Promise<void> {
    await withQmp(monitorOf(this.record.directory), (hub) =>
      hub.execute("set_link", { name: plugName(name, index), up }),
    );
  }

  async stop(): Promise<void> {
    await killProcess(this.record.process);
  }
}

function plugName(name: string, index: number): string {
  return `${name}-${index}`;
}

function portName(name: string, index: number): string {
  return `${name}-${index}-port`;
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && /not found/.test(error.message))) throw error;
}
