import type { BackendSettings, VolumeRequest } from "../../src/backend/index.ts";
import type { Rooms } from "../../src/backend/rooms.ts";
import type { Provisioning, VolumeRecord } from "../../src/contract/index.ts";
import type { CountedHost, HostSettings } from "../../src/ssh/index.ts";
import type { Consumer } from "./consumer.ts";

/** What a backend is made of, apart from its name and its host. */
export type BackendParts = Omit<BackendSettings, "name" | "aliases" | "host" | "unreachable">;

/** One kind of storage on a host, with what only somebody who knows the technology can do or see there. */
export interface Storage {
  readonly technology: BackendParts["technology"];
  /** Settings that no storage can have (SET-1). */
  readonly impossible: BackendParts["technology"];
  /** Settings of storage that is not there (SET-2), and what the refusal must name. */
  readonly missing: { readonly technology: BackendParts["technology"]; readonly named: string };
  /** How volumes are made. */
  readonly provisioning: Provisioning;
  /** Everything on the storage whose name has that id in it: volumes, metadata, jobs. */
  traces(id: string): Promise<readonly string[]>;
  /** Where freed space keeps what was in it unless it is cleared: settings that leave it, and a look. */
  readonly clearing?: {
    readonly careless: VolumeRequest["settings"];
    /** Whether the space that would be given out next, so many bytes of it, holds this text. */
    freeSpaceHolds(text: string, bytes: number): Promise<boolean>;
  };
  /** Makes what breezeblock did not make, beside its volumes. */
  plantForeign(): Promise<ForeignObjects>;
  /** Makes a volume as others do, of a size that none of ours has, with this at its start. */
  plantVolume(content: Uint8Array): Promise<PlantedVolume>;
  /** Takes away what says that this object is ours, so that only its name is left. */
  disown(volume: VolumeRecord): Promise<DisownedVolume>;
}

/** Other people's objects. */
export interface ForeignObjects {
  /** Changes with anything that is done to them. */
  fingerprint(): Promise<string>;
  remove(): Promise<void>;
}

/** A volume that others made. */
export interface PlantedVolume {
  /** What the technology calls it. */
  readonly reference: string;
  readonly sizeBytes: number;
  /** Changes with any of its bytes. */
  content(): Promise<string>;
  /** Changes with anything that is done to it, its tags and names included. */
  fingerprint(): Promise<string>;
  /** Has it open until the returned function is called. */
  hold(): Promise<() => Promise<void>>;
  /** Whatever has become of it. */
  remove(): Promise<void>;
}

export interface DisownedVolume {
  /** Whether the data is there still. */
  isThere(): Promise<boolean>;
  giveBack(): Promise<void>;
}

/** What makes drivers and targets of settings. */
export type SubjectRooms = Pick<Rooms, "driver" | "target">;

/** A driver with a target, on a real host. */
export interface Subject {
  readonly driver: string;
  readonly target: string;
  readonly parts: BackendParts;
  readonly storage: Storage;
  /** Other storage on the same host, of another kind, which volumes are moved to and from. */
  readonly elsewhere: Storage;
  /** Commands take their time there: what is tried at each step elsewhere is tried at one. */
  readonly isSlow: boolean;
  /** Others in the place of the real driver and target. */
  readonly rooms?: SubjectRooms;
  /** How to reach the storage host. */
  readonly hostSettings: HostSettings;
  /** An open connection to the storage host. */
  readonly host: CountedHost;
  /** Machines that use volumes. With more than one, they are different machines. */
  readonly consumers: readonly [Consumer, ...Consumer[]];
  close(): Promise<void>;
}

/** Whether consumers reach volumes over a network, so that there is something to export and to grant. */
export function isExporting({ target }: Pick<Subject, "target">): boolean {
  return target !== "local";
}
