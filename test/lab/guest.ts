import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync } from "node:fs";
import type { HostSettings } from "../../src/ssh/index.ts";
import { freePort } from "../support/free-port.ts";
import { waitFor } from "../support/wait-for.ts";
import type { Lifetime } from "./background.ts";
import { GuestConnection, type RunOptions } from "./connection.ts";
import type { Executed } from "./execute.ts";
import type { GuestIdentity, Role } from "./identity.ts";
import type { Image } from "./image.ts";
import { consoleOf, dataDiskOf, dataDiskSizes, forwardSsh, type Machine, startMachine } from "./machine.ts";
import type { Network } from "./network.ts";
import { isAlive, killProcess, type ProcessIdentity } from "./process-identity.ts";

/** Milliseconds that a boot may take, on a busy machine too; one that takes longer hangs. */
const bootDeadlineMs = 120_000;

/** Who logs in: `storage` is an ordinary user who may use sudo without a password. */
export type GuestUser = "root" | "storage";

/** One of the two storage networks. */
export type Nic = 0 | 1;

/** An entry of the provider's `hosts`. */
export interface ProviderHost {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly private_key_file: string;
  readonly host_key: string;
  readonly become?: "sudo";
}

/** What is kept of a running guest, for another process to go on with it. */
export interface GuestRecord {
  readonly identity: GuestIdentity;
  readonly directory: string;
  readonly sshPort: number;
  /** Undefined while it is switched off. */
  process: ProcessIdentity | undefined;
  /** Leads `sshPort` to it; undefined while it is switched off. */
  forwarder: ProcessIdentity | undefined;
}

/** A storage or consumer host: a Linux kernel that runs as a process, with disks of its own. */
export class Guest {
  readonly record: GuestRecord;
  readonly #image: Image;
  readonly #network: Network;
  readonly #lifetime: Lifetime;
  readonly #connection: GuestConnection;

  constructor(record: GuestRecord, image: Image, network: Network, lifetime: Lifetime) {
    this.record = record;
    this.#image = image;
    this.#network = network;
    this.#lifetime = lifetime;
    this.#connection = new GuestConnection(record.sshPort, image.privateKeyFile);
  }

  /** Starts a guest on fresh disks in the new directory `directory`, and sets up its storage. */
  static async start(
    identity: GuestIdentity,
    directory: string,
    image: Image,
    network: Network,
    { lifetime, sshPort = undefined }: { lifetime: Lifetime; sshPort?: number | undefined },
  ): Promise<Guest> {
    mkdirSync(directory);
    for (const [index, size] of dataDiskSizes.entries()) makeDisk(dataDiskOf(directory, index), size);
    const record = {
      ...{ identity, directory, sshPort: sshPort ?? (await freePort()) },
      ...{ process: undefined, forwarder: undefined },
    };
    const guest = new Guest(record, image, network, lifetime);
    try {
      await guest.powerOn();
      if (identity.role === "storage") await guest.#provisionStorage();
    } catch (error) {
      const seen = guest.#console();
      await guest.stop();
      throw new Error(`${identity.name} did not come up. Its console: ${seen.slice(-2000)}`, {
        cause: error,
      });
    }
    return guest;
  }

  get name(): string {
    return this.record.identity.name;
  }

  get role(): Role {
    return this.record.identity.role;
  }

  /** Its addresses on the two storage networks. */
  get storageAddresses(): readonly [string, string] {
    return this.record.identity.storageAddresses;
  }

  /** Its iSCSI name. */
  get initiator(): string {
    return this.record.identity.initiator;
  }

  /** Its NVMe host name. */
  get hostNqn(): string {
    return this.record.identity.hostNqn;
  }

  /** How `openHost` reaches it, with its host key pinned. */
  settings(user: GuestUser = "root"): HostSettings {
    const { address, port, private_key_file: privateKeyFile, host_key: hostKey } = this.providerHost(user);
    return {
      ...{ name: this.name, address, port, user },
      auth: { privateKeyFile },
      hostKeys: { pinned: [hostKey] },
      become: { method: user === "root" ? "none" : "sudo" },
    };
  }

  /** Its entry in the provider's `hosts`. */
  providerHost(user: GuestUser = "root"): ProviderHost {
    const { privateKeyFile, hostKey } = this.#image;
    return {
      ...{ address: "127.0.0.1", port: this.record.sshPort, user },
      ...{ private_key_file: privateKeyFile, host_key: hostKey },
      ...(user === "root" ? {} : { become: "sudo" }),
    };
  }

  /** Runs a line for root's shell, apart from the product's own SSH; fails unless it succeeds. Gives its output. */
  run(command: string, options?: RunOptions): Promise<string> {
    return this.#connection.run(command, options);
  }

  /** As `run`, for what may fail. */
  attempt(command: string, options?: RunOptions): Promise<Executed> {
    return this.#connection.attempt(command, options);
  }

  /** Shuts down in order and boots from the same disks, as `systemctl reboot` does. */
  async reboot(): Promise<void> {
    const { process } = this.record;
    await this.run("systemctl reboot");
    await waitFor(
      `The end of ${this.name}, which was to reboot`,
      () => process === undefined || !isAlive(process),
      { deadlineMs: bootDeadlineMs },
    );
    await this.powerOff();
    await this.powerOn();
  }

  /** Cuts the power: what was not flushed is lost. The disks stay. */
  async powerOff(): Promise<void> {
    this.#connection.close();
    const { process, forwarder } = this.record;
    this.record.process = undefined;
    this.record.forwarder = undefined;
    for (const each of [forwarder, process]) if (each !== undefined) await killProcess(each);
    await this.#network.unplug(this.name);
  }

  /** Boots from its disks, after `powerOff`. */
  async powerOn(): Promise<void> {
    const { identity, directory, sshPort } = this.record;
    const machine: Machine = {
      ...{ image: this.#image, lifetime: this.#lifetime },
      ...{ identity, directory, sshPort },
    };
    this.record.process = await startMachine(machine, this.#network);
    this.record.forwarder = await forwardSsh(machine, this.#network);
    await this.#connection.ready(bootDeadlineMs);
    await this.#booted();
  }

  /** Loses every frame to and from it on one storage network. Its NIC does not see that. */
  async cut(nic: Nic): Promise<void> {
    await this.#network.setLink(this.name, nic, false);
  }

  /** Ends a `cut`. */
  async restore(nic: Nic): Promise<void> {
    await this.#network.setLink(this.name, nic, true);
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    await this.powerOff();
  }

  /** Lets go of the connection; the guest itself goes on if it may. */
  release(): void {
    this.#connection.close();
  }

  /** Waits until all units have started, those for network storage and its mounts included. */
  async #booted(): Promise<void> {
    await waitFor(
      `The start of all units of ${this.name}`,
      async () => {
        // It fails while systemd does not answer yet.
        const { stdout } = await this.attempt("systemctl is-system-running --wait", {
          timeoutMs: bootDeadlineMs,
        });
        return ["running", "degraded"].includes(stdout.trim());
      },
      { deadlineMs: bootDeadlineMs, intervalMs: 50 },
    );
  }

  async #provisionStorage(): Promise<void> {
    const script = readFileSync(new URL("provision-storage.sh", import.meta.url), "utf8");
    await this.run("sh -s", { input: script });
  }

  #console(): string {
    try {
      return readFileSync(consoleOf(this.record.directory), "utf8");
    } catch {
      return "";
    }
  }
}

/** Sparse: it takes what is written to it. */
function makeDisk(file: string, size: number): void {
  const descriptor = openSync(file, "wx", 0o600);
  ftruncateSync(descriptor, size);
  closeSync(descriptor);
}
