import {
  attach,
  type Backend,
  connectionOf,
  detach,
  findAttachment,
  formatObjectId,
  type GrantedAttachment,
  parseObjectId,
  requireOwn,
} from "../src/backend/index.ts";
import { type ConnectionInfo, type Connector, StorageError } from "../src/contract/index.ts";
import {
  acknowledgeReplaced,
  identityOf,
  keepingPartialState,
  locate,
  nothingToImport,
  objectIdentity,
  parseImport,
  readTolerantly,
  replacing,
  toleratesAbsence,
} from "./common/objects.ts";
import { bytesToGib, sizeInGib } from "./common/sizes.ts";
import {
  type Config,
  choice,
  type Diagnostic,
  defineResource,
  errorAt,
  type HookContext,
  integer,
  isUnknown,
  object,
  type State,
  settled,
  string,
  stringMap,
  timeouts,
} from "./schema/index.ts";

const attributes = {
  id: string("computed", { description: "`<backend>/<uuid>`; never changes." }),
  volume_id: string("required", {
    description: "The volume to attach. A change detaches the old volume and attaches the new one.",
    replaces: true,
    example: "fast/6f3c1f0e-7a55-4c0b-9f4e-2f7a0c1d9b11",
  }),
  volume_size: integer("optional", {
    description:
      "The volume's size in GiB, normally `breezeblock_volume.x.size`: when the volume grows, its consumer then sees the new size in the same apply.",
    validators: [sizeInGib],
  }),
  host: string("optional", {
    description:
      "The consumer, a key of the provider's `hosts`. A backend that exports nothing (protocol `local`) can be attached on its own host only. Exactly one of `host` and `connector` is given.",
    replaces: true,
    example: "san1",
  }),
  connector: object(
    {
      host: string("optional", { description: "The consumer's host name." }),
      initiator: string("optional", { description: "The consumer's iSCSI initiator name (IQN)." }),
      nqn: string("optional", { description: "The consumer's NVMe host name (NQN)." }),
      ip: string("optional", { description: "The consumer's address." }),
    },
    "optional",
    {
      description:
        "Who is granted access, for a consumer that logs in by other means. Which attributes are needed depends on the protocol: `host` for `local`.",
      replaces: true,
    },
  ),
  mode: choice(["rw", "ro"], "defaulted", {
    description: "Read and write, or read only.",
    default: "rw",
    replaces: true,
  }),
  timeouts: timeouts("create", "read", "update", "delete"),
  device_path: string("computed_nullable", {
    description: "A stable path of the device on the consumer; null where only access is granted.",
  }),
  connection_info: object(
    {
      driver_volume_type: string("computed", { description: "The protocol: `local`." }),
      data: stringMap("computed", { description: "What the protocol needs to connect; no passwords." }),
    },
    "computed",
    { description: "How the consumer reaches the volume." },
  ),
  size: integer("computed", {
    description: "The size in GiB that the consumer sees.",
    volatile: true,
  }),
  backend_identity: string("computed", {
    description:
      "What the storage behind the backend calls itself; it must stay the same for the attachment to count as gone.",
  }),
} as const;

type AttachmentAttributes = typeof attributes;
type AttachmentState = State<AttachmentAttributes>;

/** What only the configuration decides: known at apply, and kept as written. */
const writtenNames = ["volume_id", "volume_size", "host", "connector", "mode", "timeouts"] as const;
type Written = Pick<AttachmentState, (typeof writtenNames)[number]>;

const minute = 60_000;

/** `breezeblock_attachment`: a consumer's access to a volume. */
export const attachment = defineResource<AttachmentAttributes>({
  name: "attachment",
  description:
    "An attachment: a consumer's access to a volume, and the device there where the consumer is a host of the configuration.",
  version: 0,
  attributes,
  identity: objectIdentity,
  timeouts: { create: 10 * minute, read: 5 * minute, update: 10 * minute, delete: 10 * minute },

  validate(config: Config<AttachmentAttributes>): Diagnostic[] {
    const { host, connector } = config;
    if (host !== null && connector !== null) {
      return [errorAt(["connector"], "Conflicting connector", "Give either host or connector, not both.")];
    }
    if (host === null && connector === null) {
      return [errorAt(["host"], "Missing host", "An attachment needs a host or a connector.")];
    }
    return [];
  },

  async plan(context, { prior, planned, replace: changed, private: privateData }) {
    const replace = replacing(context, prior, planned, changed);
    if (context !== null && !isUnknown(planned.volume_id)) {
      const { backend } = locate(context, planned.volume_id, "volume_id");
      if (planned.host !== null && !isUnknown(planned.host)) {
        requireReachableFrom(context, backend, planned.host);
      }
      if (prior === null) {
        await acknowledgeReplaced(backend, privateData);
        await acknowledgeHeld(backend, parseObjectId(planned.volume_id, "volume_id").uuid);
      }
    }
    const replaces = prior === null ? privateData : { replaces: parseObjectId(prior.id, "id").uuid };
    return { planned, replace, private: replaces };
  },

  async read(context, state) {
    const { backend, uuid } = locate(context, state.id, "id");
    return readTolerantly(context, backend, state, async () => {
      const volumeId = parseObjectId(state.volume_id, "volume_id").uuid;
      const found = await findAttachment(backend, uuid, state.backend_identity, volumeId);
      if (found === undefined) return null;
      requireOwn(backend, "volume", found.volume);
      return { ...state, mode: found.attachment.mode, size: bytesToGib(found.volume.sizeBytes) };
    });
  },

  async create(context, planned) {
    const written = settled(planned, writtenNames);
    const { backend, uuid: volumeId } = locate(context, written.volume_id, "volume_id");
    if (written.host !== null) requireReachableFrom(context, backend, written.host);
    const request = { volumeId, connector: connectorOf(written), mode: written.mode };
    const granted = await keepingPartialState(
      backend,
      planned,
      (uuid) => ({ id: formatObjectId({ backend: backend.name, uuid }) }),
      () => attach(backend, request, context.signal),
    );
    backend.noteReturned(granted.attachment.id);
    const id = formatObjectId({ backend: backend.name, uuid: granted.attachment.id });
    return stateOf(granted, await identityOf(backend), { ...written, id });
  },

  async update(context, prior, planned) {
    const { backend, uuid } = locate(context, prior.id, "id");
    const written = settled(planned, writtenNames);
    const granted = await connectionOf(backend, uuid, prior.backend_identity, context.signal);
    return stateOf(granted, prior.backend_identity, { ...written, id: prior.id });
  },

  async delete(context, state) {
    const { backend, uuid } = locate(context, state.id, "id");
    const volumeId = parseObjectId(state.volume_id, "volume_id").uuid;
    await detach(backend, uuid, state.backend_identity, volumeId, context.signal);
  },

  async import(context, request) {
    const { backend, reference } = parseImport(context, "attachment", request);
    const identity = await identityOf(backend);
    const found = "uuid" in reference ? await findAttachment(backend, reference.uuid, identity) : undefined;
    if (found === undefined) throw nothingToImport(backend, "attachment", reference);
    requireOwn(backend, "volume", found.volume);
    backend.noteImport(found.attachment.id);
    const granted = await connectionOf(backend, found.attachment.id, identity, context.signal);
    return stateOf(granted, identity, {
      id: formatObjectId({ backend: backend.name, uuid: found.attachment.id }),
      volume_id: formatObjectId({ backend: backend.name, uuid: found.volume.id }),
      volume_size: null,
      mode: found.attachment.mode,
      timeouts: null,
      ...consumerOf(found.attachment.connector, backend),
    });
  },

  noteState(fleet, state) {
    const id = parseObjectId(state.id, "id");
    fleet.backends
      .find((backend) => backend.answersTo(id.backend))
      ?.noteState(id.uuid, state.backend_identity);
  },
});

/** The same for the volume's attachments in state: at apply nothing tells of them, and a create could take one up. */
async function acknowledgeHeld(backend: Backend, volumeId: string): Promise<void> {
  try {
    const volume = (await backend.listing()).volumes.get(volumeId);
    const isHeld = volume?.attachments.some(
      ({ id, phase }) => phase === "unacknowledged" && backend.known.has(id),
    );
    if (isHeld === true) await backend.acknowledged();
  } catch (error) {
    if (!toleratesAbsence(backend, error)) throw error;
  }
}

/** A `local` volume is there on its own host only. */
function requireReachableFrom(context: HookContext, backend: Backend, host: string): void {
  if (!Object.hasOwn(context.fleet.settings.hosts, host)) {
    const names = Object.keys(context.fleet.settings.hosts).map((name) => `"${name}"`);
    throw new StorageError({
      kind: "InvalidInput",
      action: `attach a volume on host "${host}"`,
      reason: `The provider configuration has no host of that name; it has ${names.join(", ")}`,
      attribute: ["host"],
    });
  }
  if (backend.target.protocol !== "local" || backend.settings.host === host) return;
  throw new StorageError({
    kind: "InvalidInput",
    action: `attach a volume of backend "${backend.name}" on host "${host}"`,
    reason: `The backend exports nothing: its volumes are there on its own host "${backend.settings.host}" only`,
    nextStep: `Write host = "${backend.settings.host}", or connector to note who may use the volume`,
    attribute: ["host"],
  });
}

function connectorOf(written: Written): Connector {
  if (written.host !== null) return { host: written.host };
  const { host, initiator, nqn, ip } = written.connector ?? {};
  return Object.fromEntries(
    Object.entries({ host, initiator, nqn, ip }).filter(([, value]) => value !== null && value !== undefined),
  );
}

/** The inverse: which of `host` and `connector` the user would have written. */
function consumerOf(connector: Connector, backend: Backend): Pick<Written, "host" | "connector"> {
  const { host, initiator, nqn, ip } = connector;
  if (host === backend.settings.host && initiator === undefined && nqn === undefined && ip === undefined) {
    return { host, connector: null };
  }
  return {
    host: null,
    connector: { host: host ?? null, initiator: initiator ?? null, nqn: nqn ?? null, ip: ip ?? null },
  };
}

function stateOf(
  granted: GrantedAttachment,
  identity: string,
  written: Written & { readonly id: string },
): AttachmentState {
  const device = granted.connection.data["device_path"];
  return {
    ...written,
    device_path: written.host !== null && typeof device === "string" ? device : null,
    connection_info: describeConnection(granted.connection),
    size: bytesToGib(granted.volume.sizeBytes),
    backend_identity: identity,
  };
}

function describeConnection(connection: ConnectionInfo): AttachmentState["connection_info"] {
  const data = Object.entries(connection.data).map(([name, value]): [string, string] => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return { driver_volume_type: connection.driver_volume_type, data: Object.fromEntries(data) };
}
