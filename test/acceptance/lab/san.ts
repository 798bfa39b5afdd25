import { afterEach, beforeAll } from "vitest";
import type { Guest } from "../../lab/guest.ts";
import { type Listing, listingOf } from "../../lab/listing.ts";
import { type UsedLab, type UseLabOptions, useLab } from "../../lab/use-lab.ts";
import type { Engine } from "../../support/engines.ts";
import { waitFor } from "../../support/wait-for.ts";
import { openProgram, type Program, type Settings } from "./program.ts";

/** A storage area network of real hosts, and the programs that work on it. */
export class San {
  readonly #lab: UsedLab;
  readonly #open: Program[] = [];

  constructor(lab: UsedLab) {
    this.#lab = lab;
  }

  get storage(): Guest {
    return given(this.#lab.current().storage[0]);
  }

  get consumer(): Guest {
    return given(this.#lab.current().consumers[0]);
  }

  get consumers(): readonly Guest[] {
    return this.#lab.current().consumers;
  }

  /** Addresses of the storage host on both networks, with a port. */
  portals(port: number): readonly string[] {
    return this.storage.storageAddresses.map((address) => `${address}:${port}`);
  }

  /** The provider's settings: every guest by its name, and a backend for each protocol. */
  settings(): Settings {
    const { guests } = this.#lab.current();
    const lvm = (group: string) => ({ volume_group: group, thin_pool: "pool0" });
    const host = this.storage.name;
    return {
      owner: "acme/lab",
      hosts: Object.fromEntries(guests.map((guest) => [guest.name, guest.providerHost("storage")])),
      backends: {
        iscsi: { host, lvm: lvm("vg0"), iscsi: { portals: this.portals(3260) } },
        nvmet: { host, lvm: lvm("vg1"), nvmet: { portals: this.portals(4420) } },
      },
    };
  }

  /** A program for the running test. */
  async program(engine: Engine): Promise<Program> {
    const program = await openProgram(engine, this.settings());
    this.#open.push(program);
    return program;
  }

  async closePrograms(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((program) => program.close()));
  }

  /** Everything on all hosts, to be compared with a later listing. */
  async listing(): Promise<Readonly<Record<string, Listing>>> {
    const { guests } = this.#lab.current();
    const listings = guests.map(async (guest) => [guest.name, await listingOf(guest)] as const);
    return Object.fromEntries(await Promise.all(listings));
  }

  /** The same of one host. */
  async listingOf(name: string): Promise<Listing> {
    return listingOf(given(this.#lab.current().guests.find((guest) => guest.name === name)));
  }

  /** Waits until `path` is mounted on the consumer, as after a boot. */
  async mounted(path: string, consumer: Guest = this.consumer): Promise<void> {
    await waitFor(`${path} being mounted on ${consumer.name}`, () => consumer.run(`findmnt ${path}`), {
      deadlineMs: 90_000,
      intervalMs: 500,
    });
  }
}

/** A lab for the tests of a suite, with things on it that breezeblock did not make. */
export function useSan(options: UseLabOptions = {}): San {
  const san = new San(useLab({ foreign: true, ...options }));
  beforeAll(() =>
    // A backend is one storage, so each protocol has a volume group of its own. LVM gives a pool another mapping with its
    // first thin volume, and leaves it there.
    san.storage.run(
      "vgcreate -qq -y vg1 /dev/ubdc && lvcreate -qq -y --type thin-pool -L 5G -n pool0 vg1 && lvcreate -qq -y -V 64M --thinpool pool0 -n first vg1 && lvremove -qq -y vg1/first",
    ),
  );
  afterEach(() => san.closePrograms());
  return san;
}

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("The lab has no such guest.");
  return value;
}
