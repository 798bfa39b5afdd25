import {
  type Backend,
  connectionOf,
  formatObjectId,
  type GrantedAttachment,
  requireOwn,
  sameConnector,
} from "../src/backend/index.ts";
import { type Connector, StorageError } from "../src/contract/index.ts";
import { connectorOf } from "./common/consumers.ts";
import { identityOf, locate, locateVolume, volumeIdOf } from "./common/objects.ts";
import {
  type Config,
  type Diagnostic,
  defineEphemeral,
  errorAt,
  type HookContext,
  object,
  type State,
  string,
  stringMap,
  timeouts,
} from "./schema/index.ts";

const attributes = {
  attachment_id: string("optional_computed", {
    description: "The attachment's id; or give `volume_id` and `connector`.",
    example: "fast/0b6c9a52-51f3-4c0e-8d5e-3c9f4f1b7a10",
  }),
  volume_id: string("optional_computed", {
    description: "The volume, with `connector`: the attachment that this connector has of it.",
  }),
  connector: object(
    {
      host: string("optional", { description: "The consumer's host name." }),
      initiator: string("optional", { description: "The consumer's iSCSI initiator name (IQN)." }),
      nqn: string("optional", { description: "The consumer's NVMe host name (NQN)." }),
      ip: string("optional", { description: "The consumer's address." }),
    },
    "optional",
    { description: "The connector as the attachment has it, with `volume_id`." },
  ),
  timeouts: timeouts("read"),
  protocol: string("computed", { description: "How the consumer connects: `iSCSI`, `nvmet_tcp`, `local`." }),
  data: stringMap("computed", { description: "What the protocol needs to connect; no passwords." }),
  username: string("computed_nullable", {
    description: "The name to log in with; null where nobody has to prove who they are.",
  }),
  password: string("computed_nullable", {
    description: "The password to log in with. It is kept on the storage host only.",
    sensitive: true,
  }),
} as const;

type ConnectionAttributes = typeof attributes;
type ConnectionState = State<ConnectionAttributes>;

/** `breezeblock_connection`: what the consumer of an export-only attachment logs in with. */
export const connection = defineEphemeral<ConnectionAttributes>({
  name: "connection",
  description:
    "How the consumer of an attachment connects, and what it logs in with. For attachments by `connector`, whose consumers log in by other means. In no plan and no state.",
  attributes,
  readTimeout: 5 * 60_000,

  validate(config: Config<ConnectionAttributes>): Diagnostic[] {
    const { attachment_id: id, volume_id: volumeId, connector } = config;
    if (id !== null && (volumeId !== null || connector !== null)) {
      return [
        errorAt(
          ["attachment_id"],
          "Conflicting attachment_id",
          "Give either attachment_id, or volume_id and connector.",
        ),
      ];
    }
    if (id === null && (volumeId === null || connector === null)) {
      return [
        errorAt(
          ["attachment_id"],
          "Missing attachment_id",
          "Give either attachment_id, or volume_id and connector.",
        ),
      ];
    }
    return [];
  },

  async open(context, config) {
    const { backend, uuid } = await find(context, config);
    const granted = await connectionOf(backend, uuid, await identityOf(backend), context.signal);
    requireOwn(backend, "volume", granted.volume);
    return stateOf(backend, granted, config);
  },
});

async function find(
  context: HookContext,
  config: ConnectionState,
): Promise<{ readonly backend: Backend; readonly uuid: string }> {
  const { attachment_id: id, volume_id: volumeId } = config as {
    readonly [K in "attachment_id" | "volume_id"]: string | null;
  };
  if (id !== null) return locate(context, id, "attachment_id");
  const { backend, uuid } = await locateVolume(context, volumeId ?? "", "volume_id");
  const connector: Connector = await connectorOf(context, backend, {
    host: null,
    connection: null,
    connector: config.connector,
  });
  const volume = (await backend.listing()).volumes.get(uuid);
  const attachment = volume?.attachments.find((candidate) => sameConnector(candidate.connector, connector));
  if (attachment !== undefined) return { backend, uuid: attachment.id };
  throw new StorageError({
    kind: volume === undefined ? "VolumeNotFound" : "AttachmentNotFound",
    action: `find how volume ${uuid} is connected`,
    reason:
      volume === undefined
        ? "There is no such volume on this backend"
        : "It has no attachment of exactly this connector",
    nextStep: "Attach the volume first, and write the connector as the attachment has it",
    backend: backend.name,
    attribute: [volume === undefined ? "volume_id" : "connector"],
  });
}

function stateOf(
  backend: Backend,
  { volume, attachment, connection: made, credentials }: GrantedAttachment,
  config: ConnectionState,
): ConnectionState {
  const data = Object.entries(made.data).map(([name, value]): [string, string] => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return {
    ...config,
    attachment_id: config.attachment_id ?? formatObjectId({ backend: backend.name, uuid: attachment.id }),
    volume_id: config.volume_id ?? volumeIdOf(volume, backend),
    protocol: made.driver_volume_type,
    data: Object.fromEntries(data),
    username: credentials?.username ?? null,
    password: credentials?.password ?? null,
  };
}
