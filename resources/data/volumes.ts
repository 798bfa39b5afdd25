import {
  type Backend,
  formatObjectId,
  manageableVolumes,
  tryParseObjectId,
} from "../../src/backend/index.ts";
import type {
  ManageableVolume,
  ObjectRecord,
  SnapshotRecord,
  VolumeRecord,
} from "../../src/contract/index.ts";
import {
  boolean,
  defineDataSource,
  integer,
  objectList,
  string,
  stringList,
  timeouts,
} from "../schema/index.ts";
import { existingId } from "../volume/import.ts";

const statuses =
  "`managed` (this owner's), `orphaned` (this owner's, but not in `known_ids`), `retained` (given up by its state on purpose), `foreign` (another owner's), `damaged` (neither there nor gone)";

const attributes = {
  backend: string("required", {
    description: "The backend, a key of the provider's `backends`.",
    example: "fast",
  }),
  known_ids: stringList("optional", {
    description:
      "Ids of volumes and snapshots that states hold. With it, what this owner has and is not named here is `orphaned`; without it nothing is.",
  }),
  timeouts: timeouts("read"),
  volumes: objectList(
    {
      id: string("computed", {
        description: "`<backend>/<uuid>`; of an unmanaged volume the one that it has once it is adopted.",
      }),
      name: string("computed_nullable", {
        description: "Its name; null for what nobody's records name.",
      }),
      reference: string("computed_nullable", {
        description: "What the technology calls it: `vg0/oldlv`, `disk.img`; null for what breezeblock made.",
      }),
      size_bytes: integer("computed_nullable", { description: "The exact size in bytes." }),
      status: string("computed", {
        description: `${statuses}, or \`unmanaged\` (made by others, and nobody's records are on it).`,
      }),
      safe_to_manage: boolean("computed", { description: "Whether it can be imported now." }),
      reason_not_safe: string("computed_nullable", { description: "Why it cannot." }),
      import_id: string("computed_nullable", {
        description: "What to import it by; null for what cannot be imported here.",
      }),
    },
    "computed",
    { description: "Every volume on the backend, whoever made it." },
  ),
  snapshots: objectList(
    {
      id: string("computed", { description: "`<backend>/<uuid>`." }),
      name: string("computed_nullable", { description: "Its name." }),
      volume_id: string("computed_nullable", { description: "The volume that it was taken of." }),
      size_bytes: integer("computed_nullable", { description: "The exact size in bytes." }),
      status: string("computed", { description: `${statuses}.` }),
    },
    "computed",
    { description: "Every snapshot on the backend that breezeblock took." },
  ),
} as const;

type Status = "managed" | "orphaned" | "retained" | "foreign";

/** `breezeblock_volumes`: everything on a backend, and what there is to take under management or to clean up. */
export const volumesData = defineDataSource<typeof attributes>({
  name: "volumes",
  description:
    "Everything on a backend: what this owner has, what states have lost, what is another owner's, and what others made and can be imported.",
  attributes,
  readTimeout: 5 * 60_000,
  async read(context, config) {
    const backend = context.fleet.backend(config.backend, ["backend"]);
    const listing = await backend.listing();
    const { volumes: unmanaged } = await manageableVolumes(backend);
    const known = config.known_ids === null ? null : uuidsOf(backend, config.known_ids);
    const statusOf = (record: ObjectRecord): Status => {
      if (record.owner !== backend.owner) return "foreign";
      if (record.phase === "retained") return "retained";
      return known === null || known.has(record.id) ? "managed" : "orphaned";
    };
    const idOf = (uuid: string) => formatObjectId({ backend: backend.name, uuid });
    const damaged = [...listing.damaged.values()];
    return {
      ...config,
      volumes: [
        ...sorted([...listing.volumes.values()]).map((record: VolumeRecord) => {
          const status = statusOf(record);
          return {
            id: idOf(record.id),
            name: record.name,
            reference: record.adoptedFrom ?? null,
            size_bytes: record.sizeBytes,
            status,
            safe_to_manage: status !== "foreign",
            reason_not_safe: status === "foreign" ? `belongs to ${ownerOf(record)}` : null,
            import_id: status === "foreign" ? null : idOf(record.id),
          };
        }),
        ...[...unmanaged].sort(byReference).map((volume) => ({
          id: idOf(volume.id),
          name: null,
          reference: volume.reference,
          size_bytes: volume.sizeBytes,
          status: "unmanaged",
          safe_to_manage: volume.safe_to_manage,
          reason_not_safe: volume.reason_not_safe,
          import_id: existingId(backend, volume),
        })),
        ...damaged
          .filter(({ kind }) => kind === "volume")
          .map(({ id, reason }) => ({
            id: idOf(id),
            name: null,
            reference: null,
            size_bytes: null,
            status: "damaged",
            safe_to_manage: false,
            reason_not_safe: reason,
            import_id: null,
          })),
      ],
      snapshots: [
        ...sorted([...listing.snapshots.values()]).map((record: SnapshotRecord) => ({
          id: idOf(record.id),
          name: record.name,
          volume_id: idOf(record.volumeId),
          size_bytes: record.sizeBytes,
          status: statusOf(record),
        })),
        ...damaged
          .filter(({ kind }) => kind === "snapshot")
          .map(({ id }) => ({
            id: idOf(id),
            name: null,
            volume_id: null,
            size_bytes: null,
            status: "damaged",
          })),
      ],
    };
  },
});

/** By name: the order of a listing is the storage's, and can change. */
function sorted<R extends ObjectRecord>(records: readonly R[]): readonly R[] {
  return [...records].sort((a, b) => (a.name === b.name ? (a.id < b.id ? -1 : 1) : a.name < b.name ? -1 : 1));
}

function byReference(a: ManageableVolume, b: ManageableVolume): number {
  return a.reference < b.reference ? -1 : 1;
}

function ownerOf({ owner }: ObjectRecord): string {
  return owner === "" ? "nobody (it was made without an owner)" : `owner "${owner}"`;
}

/** Of ids that mean this backend, by whichever of its names. */
function uuidsOf(backend: Backend, ids: readonly string[]): ReadonlySet<string> {
  return new Set(
    ids.flatMap((text) => {
      const id = tryParseObjectId(text);
      return id !== undefined && backend.answersTo(id.backend) ? [id.uuid] : [];
    }),
  );
}
