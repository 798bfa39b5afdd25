import { mkdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "../support/wait-for.ts";
import { type Lifetime, startInBackground } from "./background.ts";
import { execute } from "./execute.ts";
import { managementNetwork, storageNetworks } from "./identity.ts";
import { killProcess, type ProcessIdentity } from "./process-identity.ts";

/** What is kept of a running network, for another process to go on with it. */
export interface NetworkRecord {
  /** Holds the network namespace. */
  readonly process: ProcessIdentity;
}

/** `eth0` of a guest is on the first bridge, and so on. */
const bridges = ["management", ...storageNetworks.map((_, index) => `storage${index}`)];

/**
 * The networks between guests: bridges in a network namespace that nothing but guests is in. No frame leaves it, and this
 * machine's own interfaces and routes stay as they are.
 */
export class Network {
  readonly record: NetworkRecord;

  constructor(record: NetworkRecord) {
    this.record = record;
  }

  static async start(directory: string, lifetime: Lifetime): Promise<Network> {
    mkdirSync(directory);
    // Its argument is how it is found when its lab was not tidied up.
    const holder = ["sh", "-c", "while :; do sleep 3600; done", `${directory}/`];
    const process = await startInBackground(["unshare", "--net", "--", ...holder], {
      lifetime,
      logFile: join(directory, "log"),
    });
    const network = new Network({ process });
    await waitFor("The network's namespace", () => isolated(process.pid), { intervalMs: 10 });
    await network.#ip([
      "link set lo up",
      ...bridges.flatMap((bridge) => [`link add ${bridge} type bridge`, `link set ${bridge} up`]),
      `addr add ${managementNetwork}.2/24 dev ${bridges[0]}`,
    ]);
    return network;
  }

  /** `command`, as it is run on this network. */
  inside(command: readonly string[]): string[] {
    return ["nsenter", `--net=${namespaceOf(this.record.process.pid)}`, "--", ...command];
  }

  /** Makes plugs for the NICs of guest `name`, new ones if it had some; gives the names of their interfaces. */
  async plug(name: string): Promise<string[]> {
    await this.unplug(name);
    await this.#ip(
      bridges.flatMap((bridge, index) => [
        `tuntap add dev ${plugName(name, index)} mode tap`,
        `link set ${plugName(name, index)} master ${bridge} up`,
      ]),
    );
    return bridges.map((_, index) => plugName(name, index));
  }

  /** Takes the plugs of guest `name` away, if it has any. */
  async unplug(name: string): Promise<void> {
    const plugs = bridges.map((_, index) => `link del ${plugName(name, index)}`);
    // With `-force` those that are not there are passed over, and it fails for them in the end.
    await this.#ip(plugs, ["-force"]).catch(() => {});
  }

  /**
   * Lets frames of a guest's NIC on a storage network through, or loses them; the guest's link stays up. Its plug does too:
   * what is written to one that is down fails, and guests take that for broken hardware.
   */
  async setLink(name: string, index: number, up: boolean): Promise<void> {
    const plug = plugName(name, index + 1);
    await this.#ip([`link set ${plug} ${up ? `master ${bridges[index + 1]}` : "nomaster"}`]);
  }

  async stop(): Promise<void> {
    await killProcess(this.record.process);
  }

  async #ip(lines: readonly string[], options: readonly string[] = []): Promise<void> {
    const [command = "", ...args] = this.inside(["ip", ...options, "-batch", "-"]);
    await execute(command, args, { input: `${lines.join("\n")}\n` });
  }
}

function namespaceOf(pid: number | "self"): string {
  return `/proc/${pid}/ns/net`;
}

function isolated(pid: number): boolean {
  return readlinkSync(namespaceOf(pid)) !== readlinkSync(namespaceOf("self"));
}

/** At most 15 characters, as names of interfaces may have. */
function plugName(name: string, index: number): string {
  return `${name}-${index}`;
}
