import { outlivesVolume, type SnapshotRecord, type VolumeRecord, type VolumeSource } from "./volume.ts";

/** An object whose traces are there, but not all of it: neither present nor absent. */
export interface DamagedObject {
  readonly id: string;
  readonly kind: "volume" | "snapshot";
  /** As far as what is left of it says; `null` where that is not known. */
  readonly owner: string | null;
  /** What is wrong, and where: `metadata file /srv/v/volume-….json is not valid JSON`. */
  readonly reason: string;
}

/** Everything on one backend, from one listing. Includes other owners' objects that breezeblock made. */
export interface Inventory {
  /** The backend's identity (VG UUID, pool GUID, a marker's UUID), or `null` when it has none yet. */
  readonly identity: string | null;
  readonly volumes: ReadonlyMap<string, VolumeRecord>;
  readonly snapshots: ReadonlyMap<string, SnapshotRecord>;
  /** By id. */
  readonly damaged: ReadonlyMap<string, DamagedObject>;
  /** What is wrong with objects that may be any: as long as there are some, nothing that is missed counts as gone. */
  readonly unidentified?: string | undefined;
}

/** DEL-2. The snapshots that a volume cannot be deleted, given back or moved before. */
export function snapshotsHolding(
  volumeId: string,
  { snapshots }: Pick<Inventory, "snapshots">,
): readonly SnapshotRecord[] {
  return [...snapshots.values()].filter(
    (snapshot) => snapshot.volumeId === volumeId && !outlivesVolume(snapshot),
  );
}

/** The volumes that are being made of a source: until they are whole, they read it. */
export function volumesBeingMadeFrom(
  { kind, id }: VolumeSource,
  { volumes }: Pick<Inventory, "volumes">,
): readonly VolumeRecord[] {
  return [...volumes.values()].filter(
    ({ phase, source }) => phase === "creating" && source?.kind === kind && source.id === id,
  );
}
