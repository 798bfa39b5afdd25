import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Lifetime } from "./background.ts";
import { Guest, type GuestRecord } from "./guest.ts";
import { type GuestIdentity, guestIdentity } from "./identity.ts";
import { findImage, type Image } from "./image.ts";
import { Network, type NetworkRecord } from "./network.ts";
import { makeRunDirectory, removeRunDirectory, setOwner } from "./run-directory.ts";

export interface LabOptions {
  /** How many storage hosts, default 1. */
  readonly storage?: number;
  /** How many consumers, default 1. */
  readonly consumers?: number;
}

export interface StartOptions {
  /** Default `with its starter`. */
  readonly lifetime?: Lifetime;
  /** Hears what is built, when that takes long. */
  readonly report?: (step: string) => void;
  /** Gets the record before the first guest starts: whoever keeps it can end the lab even if starting breaks off. */
  readonly onRecord?: (record: LabRecord) => void;
}

/** What is kept of a running lab, for another process to go on with it. */
export interface LabRecord {
  readonly directory: string;
  readonly network: NetworkRecord;
  readonly guests: readonly GuestRecord[];
}

/** Storage and consumer hosts on the same two storage networks. */
export class Lab {
  readonly #directory: string;
  readonly #image: Image;
  readonly #network: Network;
  readonly #lifetime: Lifetime;
  #guests: readonly Guest[];

  private constructor(
    directory: string,
    image: Image,
    network: Network,
    lifetime: Lifetime,
    guests: readonly Guest[],
  ) {
    this.#directory = directory;
    this.#image = image;
    this.#network = network;
    this.#lifetime = lifetime;
    this.#guests = guests;
  }

  /** Starts a lab, after building what is missing in the cache. */
  static async start(
    options: LabOptions = {},
    { lifetime = "with its starter", report = () => {}, onRecord = () => {} }: StartOptions = {},
  ): Promise<Lab> {
    const { storage = 1, consumers = 1 } = options;
    const image = await findImage(report);
    const directory = await makeRunDirectory();
    const network = await Network.start(join(directory, "network"), lifetime);
    if (lifetime === "until told") setOwner(directory, network.record.process);
    const lab = new Lab(directory, image, network, lifetime, []);
    onRecord(lab.record);
    try {
      await lab.#add([...identities("storage", storage), ...identities("consumer", consumers)]);
    } catch (error) {
      await lab.stop();
      throw error;
    }
    return lab;
  }

  /** The running lab that another process started and kept as `record`. */
  static async open(record: LabRecord): Promise<Lab> {
    const image = await findImage(() => {});
    const network = new Network(record.network);
    const guests = record.guests.map((guest) => new Guest(guest, image, network, "until told"));
    return new Lab(record.directory, image, network, "until told", guests);
  }

  get record(): LabRecord {
    return {
      directory: this.#directory,
      network: this.#network.record,
      guests: this.#guests.map((guest) => guest.record),
    };
  }

  get guests(): readonly Guest[] {
    return this.#guests;
  }

  get storage(): readonly Guest[] {
    return this.#guests.filter((guest) => guest.role === "storage");
  }

  get consumers(): readonly Guest[] {
    return this.#guests.filter((guest) => guest.role === "consumer");
  }

  /** Puts fresh guests in the place of those named, or of all; ports and names stay. Their connections end. */
  async reset(names: readonly string[] = this.#guests.map((guest) => guest.name)): Promise<void> {
    await settled(
      this.#guests.map(async (guest, index) => {
        if (!names.includes(guest.name)) return;
        const { identity, directory, sshPort } = guest.record;
        await guest.stop();
        rmSync(directory, { recursive: true, force: true });
        const fresh = await this.#start(identity, sshPort);
        this.#guests = this.#guests.with(index, fresh);
      }),
    );
  }

  /** Ends all guests and removes their disks. */
  async stop(): Promise<void> {
    await settled(this.#guests.map((guest) => guest.stop()));
    this.#guests = [];
    await this.#network.stop();
    await removeRunDirectory(this.#directory);
  }

  async #add(identities: readonly GuestIdentity[]): Promise<void> {
    const started = await Promise.allSettled(identities.map((identity) => this.#start(identity)));
    this.#guests = started.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    for (const result of started) if (result.status === "rejected") throw result.reason;
  }

  #start(identity: GuestIdentity, sshPort?: number): Promise<Guest> {
    const directory = join(this.#directory, identity.name);
    const options = { lifetime: this.#lifetime, sshPort };
    return Guest.start(identity, directory, this.#image, this.#network, options);
  }
}

function identities(role: "storage" | "consumer", count: number): GuestIdentity[] {
  return Array.from({ length: count }, (_, index) => guestIdentity(role, index + 1));
}

/** Waits for all of `work`, then fails with the first failure, if any. */
async function settled(work: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === "rejected") throw result.reason;
}
