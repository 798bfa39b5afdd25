import { formatObjectId } from "../../src/backend/index.ts";
import { labelsAllOf } from "../common/labels.ts";
import { identityOf, volumeIdOf } from "../common/objects.ts";
import { bytesToGib } from "../common/sizes.ts";
import {
  boolean,
  defineDataSource,
  integer,
  objectList,
  string,
  stringMap,
  timeouts,
} from "../schema/index.ts";
import { checkReference, lookUp, statusOf } from "./lookup.ts";

const attributes = {
  id: string("optional_computed", { description: "The volume's id; or give `backend` and `name`." }),
  backend: string("optional_computed", {
    description: "The volume's backend, with `name`.",
    example: "fast",
  }),
  name: string("optional_computed", {
    description: "The volume's name, with `backend`.",
    example: "db",
  }),
  timeouts: timeouts("read"),
  size: integer("computed", { description: "Size in GiB, rounded up." }),
  size_bytes: integer("computed", { description: "The exact size in bytes." }),
  pool: string("computed", { description: "The pool of the backend that the volume is in." }),
  provisioning: string("computed", { description: "`thin` or `thick`." }),
  multiattach: boolean("computed", { description: "Whether the volume may have several attachments." }),
  deletion_protection: boolean("computed", { description: "Whether deleting the volume is refused." }),
  status: string("computed", {
    description:
      "`creating`, `available`, `restoring` (being put back to a snapshot), `retained` or `deleting`.",
  }),
  labels: stringMap("computed", { description: "Its labels, default labels included." }),
  attachments: objectList(
    {
      id: string("computed", { description: "The attachment's id." }),
      host: string("computed_nullable", { description: "The consumer's host name." }),
      mode: string("computed", { description: "`rw` or `ro`." }),
    },
    "computed",
    { description: "Who has access to it." },
  ),
  provider_location: string("computed", { description: "Where the data is on the storage host." }),
  backend_identity: string("computed", { description: "What the storage behind the backend calls itself." }),
  created_at: string("computed", { description: "When the volume was created, RFC 3339 in UTC." }),
} as const;

/** `breezeblock_volume`: a volume that is there, by id or by name. */
export const volumeData = defineDataSource<typeof attributes>({
  name: "volume",
  description: "A volume that is there already, by id or by backend and name.",
  attributes,
  readTimeout: 5 * 60_000,
  validate: checkReference,
  async read(context, config) {
    const { backend, record } = await lookUp(
      context,
      "volume",
      config,
      async (found) => (await found.listing()).volumes,
    );
    return {
      id: config.id ?? volumeIdOf(record, backend),
      backend: config.backend ?? backend.name,
      name: record.name,
      timeouts: config.timeouts,
      size: bytesToGib(record.sizeBytes),
      size_bytes: record.sizeBytes,
      pool: record.pool,
      provisioning: record.provisioning,
      multiattach: record.multiattach,
      deletion_protection: record.deletionProtection,
      status: statusOf(record),
      labels: labelsAllOf(record),
      attachments: record.attachments.map(({ id, connector, mode }) => ({
        id: formatObjectId({ backend: backend.name, uuid: id }),
        host: connector.host ?? null,
        mode,
      })),
      provider_location: record.location,
      backend_identity: await identityOf(backend),
      created_at: record.createdAt,
    };
  },
});
