import { formatObjectId } from "../../src/backend/index.ts";
import { labelsAllOf } from "../common/labels.ts";
import { identityOf, volumeIdOfSnapshot } from "../common/objects.ts";
import { bytesToGib } from "../common/sizes.ts";
import { boolean, defineDataSource, integer, string, stringMap, timeouts } from "../schema/index.ts";
import { checkReference, lookUp, statusOf } from "./lookup.ts";

const attributes = {
  id: string("optional_computed", { description: "The snapshot's id; or give `backend` and `name`." }),
  backend: string("optional_computed", {
    description: "The snapshot's backend, with `name`.",
    example: "fast",
  }),
  name: string("optional_computed", {
    description: "The snapshot's name, with `backend`.",
    example: "db-before-upgrade",
  }),
  timeouts: timeouts("read"),
  volume_id: string("computed", { description: "The volume that it was taken of." }),
  size: integer("computed", { description: "The volume's size in GiB when the snapshot was taken." }),
  size_bytes: integer("computed", { description: "The same in bytes." }),
  deletion_protection: boolean("computed", { description: "Whether deleting the snapshot is refused." }),
  status: string("computed", { description: "`creating`, `available`, `retained` or `deleting`." }),
  labels: stringMap("computed", { description: "Its labels, default labels included." }),
  backend_identity: string("computed", { description: "What the storage behind the backend calls itself." }),
  created_at: string("computed", { description: "When the snapshot was taken, RFC 3339 in UTC." }),
} as const;

/** `breezeblock_snapshot`: a snapshot that is there, by id or by name. */
export const snapshotData = defineDataSource<typeof attributes>({
  name: "snapshot",
  description: "A snapshot that is there already, by id or by backend and name.",
  attributes,
  readTimeout: 5 * 60_000,
  validate: checkReference,
  async read(context, config) {
    const { backend, record } = await lookUp(
      context,
      "snapshot",
      config,
      async (found) => (await found.listing()).snapshots,
    );
    return {
      id: config.id ?? formatObjectId({ backend: backend.name, uuid: record.id }),
      backend: config.backend ?? backend.name,
      name: record.name,
      timeouts: config.timeouts,
      volume_id: await volumeIdOfSnapshot(record, backend),
      size: bytesToGib(record.sizeBytes),
      size_bytes: record.sizeBytes,
      deletion_protection: record.deletionProtection,
      status: statusOf(record),
      labels: labelsAllOf(record),
      backend_identity: await identityOf(backend),
      created_at: record.createdAt,
    };
  },
});
