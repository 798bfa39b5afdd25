import { randomUUID } from "node:crypto";
import { Fleet, type FleetSettings } from "../../src/backend/index.ts";
import { rooms } from "../../src/backend/rooms.ts";
import type { VolumeRecord } from "../../src/contract/index.ts";
import { type CountedHost, type HostSettings, openHost } from "../../src/ssh/index.ts";
import type { Consumer } from "./consumer.ts";
import type { Device } from "./device.ts";
import { InterposedHost, type Interposition } from "./interposed-host.ts";
import { Places } from "./places.ts";
import { Session } from "./session.ts";
import type { BackendParts, Subject, SubjectRooms } from "./subject.ts";

export interface SessionOptions {
  /** The trial's own by default. */
  readonly owner?: string;
  /** The subject's by default. */
  readonly technology?: BackendParts["technology"];
  /** How many bytes of images the host keeps; none by default. */
  readonly imageCacheBytes?: number;
  /** Another way to the storage host, over a connection of its own. */
  readonly hostSettings?: HostSettings;
  readonly around?: Interposition;
  /** Proves the backend usable first, as every run does; otherwise that is taken as known, to save the time. */
  readonly isChecked?: boolean;
}

export interface PlacesOptions {
  /** How to reach the host as that of the other storage; `other`: over a connection of its own, as another host. */
  readonly way?: "same" | "other";
}

/** One scenario's dealings with one subject. */
export class Trial {
  readonly subject: Subject;
  readonly owner: string;
  readonly #owners = new Set<string>();
  readonly #endings: (() => Promise<void>)[] = [];
  #hasPlaces = false;

  /** @param sharesVolumes there are volumes that this trial may use as earlier ones left them; see `sharedVolume` */
  constructor(subject: Subject, sharesVolumes: boolean) {
    this.subject = subject;
    // What is nobody else's is not disturbed by what other trials leave.
    this.owner = `conformance/${sharesVolumes ? "shared" : randomUUID().slice(0, 8)}`;
    this.#owners.add(this.owner);
  }

  get consumer(): Consumer {
    return this.subject.consumers[0];
  }

  /** What a provider is configured with. */
  settings(options: SessionOptions = {}): FleetSettings {
    const { owner = this.owner, hostSettings = this.subject.hostSettings } = options;
    const { technology = this.subject.parts.technology } = options;
    return {
      owner,
      defaultLabels: {},
      deletionProtection: false,
      hosts: { storage: hostSettings },
      backends: [
        {
          ...this.subject.parts,
          technology,
          imageCacheBytes: options.imageCacheBytes,
          name: "tested",
          aliases: [],
          host: "storage",
          unreachable: "error",
        },
      ],
    };
  }

  /** A run of the provider, which knows of nothing that other runs did but what is on the host. */
  session(options: SessionOptions = {}): Session {
    const [session] = this.sessions(this.settings(options), options);
    if (session === undefined) throw new Error("a fleet of one backend has one");
    return session;
  }

  /** The backends of a run, one session each. */
  sessions(settings: FleetSettings, options: Omit<SessionOptions, "owner" | "technology"> = {}): Session[] {
    return this.#fleet(settings, options).backends.map(
      (backend) => new Session(backend, this.subject.storage),
    );
  }

  /** What a provider is configured with that has the other storage as well. */
  placesSettings({ way = "same" }: PlacesOptions = {}): FleetSettings {
    const settings = this.settings();
    const { elsewhere } = this.subject;
    const host = way === "same" ? "storage" : "other";
    const other = { technology: elsewhere.technology, name: "elsewhere", aliases: [], host } as const;
    return {
      ...settings,
      hosts: { ...settings.hosts, other: { ...this.subject.hostSettings, name: "other" } },
      backends: [...settings.backends, { ...other, unreachable: "error" }],
    };
  }

  /** A run of the provider that volumes can be moved in. */
  places(options: PlacesOptions = {}): Places {
    this.#hasPlaces = true;
    return new Places(this.#fleet(this.placesSettings(options)), this.subject);
  }

  #fleet(settings: FleetSettings, options: Omit<SessionOptions, "owner" | "technology"> = {}): Fleet {
    this.#owners.add(settings.owner);
    const carriers = this.subject.rooms ?? rooms;
    const fleet = new Fleet(settings, {
      rooms: options.isChecked === true ? carriers : unchecked(carriers),
      openHost: (host, more) => new InterposedHost(this.#connection(host, options, more), options.around),
    });
    this.atEnd(() => fleet.close());
    return fleet;
  }

  /** Works with the volume's data where its consumer has it, attached for as long as that takes if need be. */
  async withDevice<T>(
    session: Session,
    volume: VolumeRecord,
    use: (device: Device) => Promise<T>,
  ): Promise<T> {
    const { consumer } = this;
    if (consumer.open !== undefined) return use(consumer.open(volume));
    const granted = await session.attach(volume, consumer);
    try {
      return await use(await consumer.connect(session, granted));
    } finally {
      await consumer.disconnect(volume.id);
      await session.detach(granted);
    }
  }

  /** A volume of `unit` bytes, attached to nobody, with anything on it. */
  async sharedVolume(session: Session, { multiattach = false } = {}): Promise<VolumeRecord> {
    const name = multiattach ? sharedNames.many : sharedNames.one;
    const { volumes } = await session.backend.listing();
    const found = [...volumes.values()].find((volume) => volume.owner === this.owner && volume.name === name);
    return found ?? session.create({ name, multiattach });
  }

  /** Makes a volume with content at its start. */
  async written(session: Session, bytes: Uint8Array, request: Parameters<Session["create"]>[0] = {}) {
    const volume = await session.create(request);
    await this.withDevice(session, volume, (device) => device.write(bytes));
    return volume;
  }

  async expectContent(session: Session, volume: VolumeRecord, bytes: Uint8Array): Promise<void> {
    await this.withDevice(session, volume, (device) => device.expectContent(bytes));
  }

  /** Something to be done when the scenario is over, last first. */
  atEnd(ending: () => Promise<void>): void {
    this.#endings.push(ending);
  }

  /** Removes everything that the trial's owners have but shared volumes, as a user would have to. */
  async end(): Promise<void> {
    const errors: unknown[] = [];
    const attempt = (work: () => Promise<void>) => work().catch((error: unknown) => void errors.push(error));
    for (const owner of this.#owners) await attempt(() => this.#removeAll(owner, this.session({ owner })));
    if (this.#hasPlaces) await attempt(() => this.#removeAll(this.owner, this.places().elsewhere));
    for (const ending of this.#endings.reverse()) await attempt(ending);
    if (errors.length > 0) throw new AggregateError(errors, `not everything could be put back: ${errors[0]}`);
  }

  async #removeAll(owner: string, session: Session): Promise<void> {
    const { volumes, snapshots } = await session.backend.listing();
    const own = [...volumes.values()].filter((volume) => volume.owner === owner);
    for (const { id } of own) {
      await Promise.all(this.subject.consumers.map((consumer) => consumer.disconnect(id)));
    }
    // What is asked for at once is done under one lock.
    await Promise.all([
      ...own.flatMap((volume) =>
        volume.attachments.map((attachment) => session.detach({ volume, attachment })),
      ),
      ...[...snapshots.values()]
        .filter((snapshot) => snapshot.owner === owner)
        .map(async (snapshot) => {
          if (snapshot.deletionProtection) await session.unprotectSnapshot(snapshot);
          await session.deleteSnapshot(snapshot);
        }),
    ]);
    const shared: readonly string[] = owner === this.owner ? Object.values(sharedNames) : [];
    const removed = own.filter(({ name }) => !shared.includes(name));
    await Promise.all(
      removed.map(async (volume) => {
        if (volume.deletionProtection) await session.change(volume, { deletionProtection: false });
        await session.delete(volume);
      }),
    );
  }

  #connection(
    settings: HostSettings,
    options: Pick<SessionOptions, "hostSettings">,
    more: Parameters<typeof openHost>[1],
  ): CountedHost {
    if (options.hostSettings === undefined && settings === this.subject.hostSettings)
      return this.subject.host;
    const host = openHost(settings, more);
    this.atEnd(() => host.close());
    return host;
  }
}

/** By whether they may be attached more than once. No scenario calls its own volumes so. */
const sharedNames = { one: "shared-by-turns", many: "shared" } as const;

/** The same drivers and targets, whose setup check asks nothing. */
function unchecked({ driver, target }: SubjectRooms): SubjectRooms {
  return {
    driver: (settings) => Object.assign(driver(settings), { checkForSetupError: async () => null }),
    target: (settings) => Object.assign(target(settings), { checkForSetupError: async () => {} }),
  };
}
