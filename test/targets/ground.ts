import { randomUUID } from "node:crypto";
import type { Connector, Executor, LockedContext, VolumeRecord } from "../../src/contract/index.ts";
import { type CountedHost, openHost } from "../../src/ssh/index.ts";
import type { Guest } from "../lab/guest.ts";
import type { Lab } from "../lab/lab.ts";

const mebibyte = 1024 ** 2;

/** A storage host of the lab as targets see it, with volumes to export. */
export class TargetGround {
  readonly storage: Guest;
  readonly host: CountedHost;
  /** Every line that the host connection logged. */
  readonly logged: string[] = [];

  constructor(lab: Lab) {
    const [storage] = lab.storage;
    if (storage === undefined) throw new Error("The lab has no storage host.");
    this.storage = storage;
    this.host = openHost(storage.settings(), {
      log: { debug: (message, fields) => this.logged.push(JSON.stringify([message, fields])) },
    });
  }

  /** What a target's calls are given; targets need no listing of volumes. */
  get context(): LockedContext {
    return this.contextOn(this.host);
  }

  contextOn(executor: Executor): LockedContext {
    return {
      executor,
      fresh: { identity: null, volumes: new Map(), snapshots: new Map(), damaged: new Map() },
    };
  }

  /** A thin logical volume, or a raw file, of 64 MiB. */
  async volume(kind: "device" | "file" = "device"): Promise<VolumeRecord> {
    const id = randomUUID();
    const location = kind === "device" ? `/dev/vg0/${id}` : `/srv/volume ${id}.raw`;
    await this.storage.run(
      kind === "device"
        ? `lvcreate -qq -y -V 64M --thinpool pool0 -n ${id} vg0`
        : `truncate -s 64M '${location}'`,
    );
    return volumeRecord(id, location, 64 * mebibyte);
  }

  /** Grows what `volume` made to 96 MiB. */
  async grow(volume: VolumeRecord): Promise<VolumeRecord> {
    const { location } = volume;
    await this.storage.run(
      location.startsWith("/dev/") ? `lvextend -qq -y -L 96M ${location}` : `truncate -s 96M '${location}'`,
    );
    return { ...volume, sizeBytes: 96 * mebibyte };
  }

  /** Fails while anything has the volume open. */
  async discard({ location }: VolumeRecord): Promise<void> {
    await this.storage.run(location.startsWith("/dev/") ? `lvremove -qq -y ${location}` : `rm '${location}'`);
  }

  async close(): Promise<void> {
    await this.host.close();
  }
}

export function connectorOf(consumer: Guest): Connector {
  return { host: consumer.name, initiator: consumer.initiator, nqn: consumer.hostNqn };
}

function volumeRecord(id: string, location: string, sizeBytes: number): VolumeRecord {
  return {
    ...{ id, name: `volume-${id.slice(0, 8)}`, owner: "", phase: "acknowledged", sizeBytes, location },
    ...{ labels: {}, defaultLabels: {}, deletionProtection: false, settings: {} },
    ...{ createdAt: "2026-01-01T00:00:00Z", pool: "pool0", provisioning: "thin", multiattach: true },
    ...{ source: null, formatted: false, attachments: [] },
  };
}
