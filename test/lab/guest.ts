import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HostSettings } from "../../src/ssh/index.ts";
import { freePort } from "../support/free-port.ts";
import { waitFor } from "../support/wait-for.ts";
import { GuestConnection, type RunOptions } from "./connection.ts";
import { type Executed, execute } from "./execute.ts";
import { type Hardware, hardwareArguments } from "./hardware.ts";
import type { GuestIdentity, Role } from "./identity.ts";
import type { Network } from "./network.ts";
import { killProcess, type ProcessIdentity } from "./process-identity.ts";
import { type Lifetime, monitorOf, startQemu } from "./qemu.ts";
import { withQmp } from "./qmp.ts";
import type { Template } from "./template.ts";

/**
 * How a guest comes up: `restored` goes on from the frozen template, in two seconds; `plain` boots from the
 * same disks.
 */
export type Boot = "restored" | "plain";

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
}

/** A storage or consumer host: a QEMU process with disks of its own. */
export class Guest {
  readonly record: GuestRecord;
  readonly #template: Template;
  readonly #network: Network;
  readonly #lifetime: Lifetime;
  readonly #connection: GuestConnection;

  constructor(record: GuestRecord, template: Template, network: Network, lifetime: Lifetime) {
    this.record = record;
    this.#template = template;
    this.#network = network;
    this.#lifetime = lifetime;
    this.#connection = new GuestConnection(record.sshPort, template.image.privateKeyFile);
  }

  /** Starts a guest on fresh disks in the new directory `directory`. */
  static async start(
    identity: GuestIdentity,
    directory: string,
    template: Template,
    network: Network,
    { boot, lifetime, sshPort }: { boot: Boot; lifetime: Lifetime; sshPort?: number | undefined },
  ): Promise<Guest> {
    mkdirSync(directory);
    const frozen = template.frozen[identity.role];
    const backing = [
      [frozen.rootDisk, "qcow2"] as const,
      ...frozen.dataDisks.map((disk) => [disk, "raw"] as const),
    ];
    for (const [index, [file, format]] of backing.entries()) {
      const disk = join(directory, diskName(index));
      await execute("qemu-img", ["create", "-q", "-f", "qcow2", "-b", file, "-F", format, disk]);
    }
    const record = { identity, directory, sshPort: sshPort ?? (await freePort()), process: undefined };
    const guest = new Guest(record, template, network, lifetime);
    try {
      if (boot === "restored") await guest.#restore();
      else await guest.powerOn();
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
    const { image } = this.#template;
    return {
      ...{ address: "127.0.0.1", port: this.record.sshPort, user },
      ...{ private_key_file: image.privateKeyFile, host_key: image.hostKey },
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
    const before = await this.#bootId();
    await this.run("systemctl reboot");
    await waitFor(
      `The reboot of ${this.name}`,
      async () => {
        this.#connection.close();
        return (await this.#bootId()) !== before;
      },
      { deadlineMs: this.#bootDeadlineMs, intervalMs: 200 },
    );
    await this.#booted();
  }

  /** Cuts the power: what was not flushed is lost. The disks stay. */
  async powerOff(): Promise<void> {
    this.#connection.close();
    const { process } = this.record;
    this.record.process = undefined;
    if (process !== undefined) await killProcess(process);
    await this.#network.unplug(this.name);
  }

  /** Boots from its disks, after `powerOff`. */
  async powerOn(): Promise<void> {
    this.record.process = await startQemu(
      this.record.directory,
      hardwareArguments(await this.#hardware()),
      this.#lifetime,
    );
    await this.#connection.ready(this.#bootDeadlineMs);
    await this.#booted();
  }

  /** Stops its processor: it answers nothing, and knows nothing of the time until `resume`. */
  async pause(): Promise<void> {
    await withQmp(monitorOf(this.record.directory), (qmp) => qmp.execute("stop"));
  }

  async resume(): Promise<void> {
    await withQmp(monitorOf(this.record.directory), (qmp) => qmp.execute("cont"));
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

  async #restore(): Promise<void> {
    const frozen = this.#template.frozen[this.role];
    const { directory, identity } = this.record;
    const hardware = { ...(await this.#hardware()), memory: { file: frozen.memory, shared: false } };
    const args = [...hardwareArguments(hardware), "-incoming", "defer"];
    this.record.process = await startQemu(directory, args, this.#lifetime);
    await withQmp(monitorOf(directory), async (qmp) => {
      const capability = { capability: "x-ignore-shared", state: true };
      await qmp.execute("migrate-set-capabilities", { capabilities: [capability] });
      await qmp.execute("migrate-incoming", { uri: `exec:cat '${frozen.state}'` });
      await waitFor(
        `The restoring of ${identity.name}`,
        async () => {
          // Frozen while stopped, it is restored stopped.
          const status = await qmp.status("query-status");
          return status === "paused" || status === "postmigrate";
        },
        { deadlineMs: this.#bootDeadlineMs },
      );
      await qmp.execute("cont");
    });
    await this.#connection.ready(this.#bootDeadlineMs);
    const now = (Date.now() / 1000).toFixed(3);
    const { name, number, machineId } = identity;
    await this.run(`lab-identity ${name} ${number} ${machineId} ${now} ${randomUUID()}`);
  }

  async #hardware(): Promise<Hardware> {
    const { identity, directory, sshPort } = this.record;
    const [rootDisk = "", ...dataDisks] = [0, 1, 2].map((index) => join(directory, diskName(index)));
    return {
      ...{ image: this.#template.image, accelerator: this.#template.accelerator },
      ...{ identity, rootDisk, dataDisks, sshPort },
      storageNetworks: await this.#network.plug(identity.name),
      consoleFile: join(directory, "console"),
    };
  }

  /** Waits until all units have started, those for network storage and its mounts included. */
  async #booted(): Promise<void> {
    await waitFor(
      `The start of all units of ${this.name}`,
      async () => {
        // It fails while systemd does not answer yet.
        const { stdout } = await this.attempt("systemctl is-system-running --wait", {
          timeoutMs: this.#bootDeadlineMs,
        });
        return ["running", "degraded"].includes(stdout.trim());
      },
      { deadlineMs: this.#bootDeadlineMs, intervalMs: 200 },
    );
  }

  get #bootDeadlineMs(): number {
    return this.#template.accelerator.bootDeadlineMs;
  }

  async #bootId(): Promise<string> {
    return this.run("cat /proc/sys/kernel/random/boot_id", { timeoutMs: 20_000 });
  }

  #console(): string {
    try {
      return readFileSync(join(this.record.directory, "console"), "utf8");
    } catch {
      return "";
    }
  }
}

function diskName(index: number): string {
  return `disk${index}.qcow2`;
}
