import {
  type AttachedVolume,
  accessFault,
  attach,
  attachOnConsumer,
  type Backend,
  connectionOf,
  consumerGone,
  detach,
  detachOnConsumer,
  ensureAccess,
  findAttachment,
  formatObjectId,
  type GrantedAttachment,
  isAbsentConsumer,
  parseObjectId,
  reattachOnConsumer,
  requireOwn,
  requireSameConsumer,
  type Use,
} from "../src/backend/index.ts";
import {
  type AttributePath,
  type ConnectionInfo,
  type Connector,
  isStorageError,
  StorageError,
  type VolumeRecord,
} from "../src/contract/index.ts";
import { absenceOf, healthOf, needsConsumer, whole } from "./common/attachment-health.ts";
import { connectorOf, consumerOf } from "./common/consumers.ts";
import { filesystem, toFilesystemRequest } from "./common/filesystems.ts";
import {
  acknowledgeReplaced,
  identityOf,
  keepingPartialState,
  locate,
  locateVolume,
  nothingToImport,
  objectIdentity,
  parseImport,
  readTolerantly,
  replacing,
  toleratesAbsence,
  volumeIdOf,
} from "./common/objects.ts";
import { claimForAttachment } from "./common/planned-names.ts";
import { bytesToGib, gibToBytes, sizeInGib } from "./common/sizes.ts";
import { connectionAttributes } from "./provider/attributes.ts";
import {
  boolean,
  type Config,
  choice,
  type Diagnostic,
  defineResource,
  errorAt,
  type HookContext,
  integer,
  isUnknown,
  isWhollyKnown,
  object,
  type Planned,
  type PrivateData,
  type State,
  settled,
  string,
  stringMap,
  timeouts,
  UNKNOWN,
  type Value,
  valuesEqual,
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
      "The volume's size in GiB, normally `breezeblock_volume.x.size`: when the volume grows, device and file system then grow in the same apply, while they are in use.",
    validators: [sizeInGib],
  }),
  host: string("optional", {
    description:
      "The consumer, a key of the provider's `hosts`: it is logged in to, and gets the device. A backend that exports nothing (protocol `local`) can be attached on its own host only. Exactly one of `host`, `connection` and `connector` is given.",
    replaces: true,
    example: "app1",
  }),
  connection: object(connectionAttributes, "optional", {
    description:
      "The same for a machine that is not among the provider's `hosts`, as one that is made in the same configuration. Secrets are referred to, never written here: they would be kept in state. A changed `address`, `port` or `jump_host` replaces the attachment, unless the same machine answers there.",
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
        "Who is granted access, for a consumer that logs in by other means. Which attributes are needed depends on the protocol: `host` for `local`, `initiator` for iSCSI, `nqn` for NVMe/TCP. What such a consumer logs in with comes from the ephemeral resource `breezeblock_connection`.",
      replaces: true,
    },
  ),
  mode: choice(["rw", "ro"], "defaulted", {
    description:
      "Read and write, or read only. `rw` with a `filesystem` is refused on a volume that has another attachment.",
    default: "rw",
    replaces: true,
  }),
  filesystem: filesystem("optional", {
    description:
      "The file system on the consumer, with `host` or `connection`: made where the volume is new, mounted, and grown with the volume. Without it, the consumer gets the bare device.",
  }),
  multipath: boolean("defaulted", {
    description:
      "Whether the consumer uses all portals at a time, and goes on when one of them fails: by dm-multipath for iSCSI, by the kernel itself for NVMe.",
    default: false,
  }),
  force_detach: boolean("defaulted", {
    description:
      "Lets a destroy, or a replacement, revoke access on the storage side alone where the consumer is gone or was built anew. Has to be applied before. A consumer that answers is always detached in order, and one that uses the device is refused.",
    default: false,
  }),
  timeouts: timeouts("create", "read", "update", "delete"),
  status: string("computed", {
    description:
      "`attached`, or what was found missing on either end: `access missing`, `not logged in`, `not mounted`, `smaller than the volume`, … . What is missing is restored by the next apply.",
  }),
  device_path: string("computed_nullable", {
    description: "A stable path of the device on the consumer; null where only access is granted.",
    volatile: true,
  }),
  connection_info: object(
    {
      driver_volume_type: string("computed", { description: "The protocol: `local`, `iSCSI`, `nvmet_tcp`." }),
      data: stringMap("computed", { description: "What the protocol needs to connect; no passwords." }),
    },
    "computed_nullable",
    { description: "How the consumer reaches the volume.", volatile: true },
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
type AttachmentPlan = Planned<AttachmentAttributes>;

/** What only the configuration decides: known at apply, and kept as written. */
const writtenNames = [
  "volume_id",
  "volume_size",
  "host",
  "connection",
  "connector",
  "mode",
  "filesystem",
  "multipath",
  "force_detach",
  "timeouts",
] as const;
type Written = Pick<AttachmentState, (typeof writtenNames)[number]>;

const minute = 60_000;

/** `breezeblock_attachment`: a consumer's access to a volume. */
export const attachment = defineResource<AttachmentAttributes>({
  name: "attachment",
  description:
    "An attachment: a consumer's access to a volume and, where the consumer is a host that can be logged in to, the device there and its file system.",
  version: 0,
  attributes,
  identity: objectIdentity,
  timeouts: { create: 20 * minute, read: 5 * minute, update: 20 * minute, delete: 20 * minute },

  validate,

  async plan(context, { prior, planned: asked, replace: changed, private: privateData }) {
    const planned = withStatus(asked, prior);
    const replace = await replacingConsumer(
      context,
      prior,
      planned,
      replacing(context, prior, planned, changed),
    );
    if (prior !== null && replace.length === 0) refuseOtherType(prior, planned);
    const replaces: PrivateData =
      prior === null ? privateData : { replaces: parseObjectId(prior.id, "id").uuid };
    if (context !== null && !isUnknown(planned.volume_id)) {
      const { backend, uuid } = await locateVolume(context, planned.volume_id, "volume_id");
      checkUse(context, backend, planned);
      // Of what is to be replaced the new object is planned next; the old one stands in nobody's way.
      if (replace.length === 0) {
        const held = replaces["replaces"];
        claimForAttachment(context, backend, {
          volumeId: uuid,
          held: typeof held === "string" ? held : undefined,
          isSole: planned.mode === "rw" && planned.filesystem !== null,
        });
      }
      if (prior === null) {
        await acknowledgeReplaced(backend, privateData);
        await acknowledgeHeld(backend, uuid);
        await checkTarget(backend);
      }
    }
    return { planned, replace, private: replaces };
  },

  async read(context, state) {
    const { backend, uuid } = locate(context, state.id, "id");
    requireSameProtocol(backend, state);
    return readTolerantly(context, backend, state, async () => {
      const volumeId = parseObjectId(state.volume_id, "volume_id").uuid;
      const found = await findAttachment(backend, uuid, state.backend_identity, volumeId);
      if (found === undefined) return null;
      requireOwn(backend, "volume", found.volume);
      const health = await healthOf(context, backend, found, { ...state, mode: found.attachment.mode });
      const size = health.sizeBytes === undefined ? state.size : bytesToGib(health.sizeBytes);
      // Whoever made the device larger may not have grown what is on it: an apply does, and changes nothing if so.
      const isGrown = size > state.size && state.filesystem !== null && found.attachment.mode === "rw";
      return {
        ...state,
        mode: found.attachment.mode,
        // Null in what was written before they were there.
        multipath: state.multipath ?? false,
        force_detach: state.force_detach ?? false,
        status: isGrown && health.status === whole ? "file system not grown" : health.status,
        size: isGrown ? state.size : size,
        device_path: health.devicePath ?? state.device_path,
      };
    });
  },

  async create(context, planned) {
    const written = settled(planned, writtenNames);
    const { backend, uuid: volumeId } = await locateVolume(context, written.volume_id, "volume_id");
    checkUse(context, backend, written);
    await checkVolumeSize(backend, volumeId, written);
    // Asked before anything is made: what has no way to its consumer leaves nothing behind.
    const connector = await connectorOf(context, backend, written);
    const request = { volumeId, connector, mode: written.mode };
    const use = useOf(context, backend, written, null);
    const granted = await keepingPartialState(
      backend,
      planned,
      (uuid) => ({ id: formatObjectId({ backend: backend.name, uuid }) }),
      () =>
        use === null
          ? attach(backend, request, context.signal)
          : attachOnConsumer(backend, request, use, context.signal),
    );
    backend.noteReturned(granted.attachment.id);
    const id = formatObjectId({ backend: backend.name, uuid: granted.attachment.id });
    return stateOf(granted, await identityOf(backend), { ...written, id });
  },

  async update(context, prior, planned) {
    const { backend, uuid } = locate(context, prior.id, "id");
    requireSameProtocol(backend, prior);
    const written = settled(planned, writtenNames);
    const { uuid: volumeId } = parseObjectId(written.volume_id, "volume_id");
    checkUse(context, backend, written);
    await checkVolumeSize(backend, volumeId, written);
    try {
      const granted = await restore(context, backend, uuid, prior, written);
      return stateOf(granted, prior.backend_identity, { ...written, id: prior.id });
    } catch (error) {
      const absence = absenceOf(error);
      if (absence === undefined || !written.force_detach || !isStorageError(error)) throw error;
      // Nothing else of the plan can come true without the consumer.
      const isOnlyForce =
        prior.status !== whole &&
        written.multipath === prior.multipath &&
        valuesEqual(written.filesystem as Value, prior.filesystem as Value);
      if (!isOnlyForce) throw error;
      context.warn({
        summary: `Nothing was done on the consumer of attachment ${uuid}: ${absence}`,
        detail: `${error.detail} With force_detach = true, it can be destroyed all the same.`,
      });
      return { ...prior, ...written, status: absence };
    }
  },

  async delete(context, state) {
    const { backend, uuid } = locate(context, state.id, "id");
    requireSameProtocol(backend, state);
    const volumeId = parseObjectId(state.volume_id, "volume_id").uuid;
    const identity = state.backend_identity;
    const consumer = findConsumer(context, backend, state);
    if (consumer === null) return detach(backend, uuid, identity, volumeId, context.signal);
    await detachOnConsumer(
      backend,
      {
        uuid,
        identity,
        volumeId,
        consumer,
        isMounted: state.filesystem !== null,
        force: state.force_detach ? (absence) => warnOfForce(context, uuid, absence) : undefined,
      },
      context.signal,
    );
  },

  async import(context, request) {
    const { backend, reference } = parseImport(context, "attachment", request);
    const identity = await identityOf(backend);
    const found = "uuid" in reference ? await findAttachment(backend, reference.uuid, identity) : undefined;
    if (found === undefined) throw nothingToImport(backend, "attachment", reference);
    requireOwn(backend, "volume", found.volume);
    backend.noteImport(found.attachment.id);
    const fault = await accessFault(backend, found);
    const granted =
      fault === undefined
        ? await connectionOf(backend, found.attachment.id, identity, context.signal)
        : undefined;
    const written: Written & { readonly id: string } = {
      id: formatObjectId({ backend: backend.name, uuid: found.attachment.id }),
      volume_id: volumeIdOf(found.volume, backend),
      volume_size: null,
      mode: found.attachment.mode,
      connection: null,
      filesystem: null,
      multipath: false,
      force_detach: false,
      timeouts: null,
      ...importedConsumer(found.attachment.connector, backend),
    };
    const imported = granted ?? { ...found, connection: null };
    return { ...stateOf(imported, identity, written), status: fault ?? whole };
  },

  noteState(fleet, state) {
    const id = parseObjectId(state.id, "id");
    fleet.backends
      .find((backend) => backend.answersTo(id.backend))
      ?.noteState(id.uuid, state.backend_identity);
  },
});

function validate(config: Config<AttachmentAttributes>): Diagnostic[] {
  const { host, connection, connector, filesystem: fileSystem, multipath } = config;
  const given = Object.entries({ host, connection, connector }).filter(([, value]) => value !== null);
  const [, another] = given;
  if (another !== undefined) {
    return [
      errorAt(
        [another[0]],
        `Conflicting ${another[0]}`,
        `Give exactly one of host, connection and connector, not ${given.map(([name]) => name).join(" and ")}.`,
      ),
    ];
  }
  if (given.length === 0) {
    return [errorAt(["host"], "Missing host", "An attachment needs a host, a connection or a connector.")];
  }
  if (connector === null) return [];
  const found: Diagnostic[] = [];
  const nobody = "With connector, access is granted and nothing is done on the consumer";
  if (fileSystem !== null) {
    found.push(
      errorAt(
        ["filesystem"],
        "Conflicting filesystem",
        `${nobody}. Give host or connection to have the volume mounted.`,
      ),
    );
  }
  if (multipath === true) {
    found.push(
      errorAt(["multipath"], "Conflicting multipath", `${nobody}: how it logs in is for whoever does that.`),
    );
  }
  return found;
}

/** An apply leaves nothing missing. What it finds otherwise, it changes with the rest of what the consumer sees. */
function withStatus(planned: AttachmentPlan, prior: AttachmentState | null): AttachmentPlan {
  if (prior === null || prior.status === whole) return { ...planned, status: whole };
  return {
    ...planned,
    // Then the apply may also leave a consumer alone that does not answer.
    status: planned.force_detach === true ? UNKNOWN : whole,
    device_path: UNKNOWN,
    connection_info: UNKNOWN,
    size: UNKNOWN,
  };
}

/** What of `replace` stands, where consumers that are written in another way may be the same machine. */
async function replacingConsumer(
  context: HookContext | null,
  prior: AttachmentState | null,
  planned: AttachmentPlan,
  replace: readonly AttributePath[],
): Promise<readonly AttributePath[]> {
  if (prior === null) return replace;
  const changed = replace.filter(([name]) => name === "host" || name === "connector");
  if (isPlaceChanged(prior.connection, planned.connection)) changed.push(["connection"]);
  if (changed.length === 0) return replace;
  const others = replace.filter(([name]) => name !== "host" && name !== "connector");
  const isSame = others.length === 0 && context !== null && (await isSameMachine(context, prior, planned));
  return isSame ? others : [...others, ...changed];
}

/** Who logs in, and how, does not change whose machine it is. */
function isPlaceChanged(
  prior: AttachmentState["connection"],
  planned: AttachmentPlan["connection"],
): boolean {
  if (prior === null || planned === null || isUnknown(planned)) return prior !== planned;
  return (["address", "port", "jump_host"] as const).some(
    (name) => !valuesEqual(prior[name], planned[name] as Value),
  );
}

/** Whether the machine that is to be logged in to is the one that was granted access. */
async function isSameMachine(
  context: HookContext,
  prior: AttachmentState,
  planned: AttachmentPlan,
): Promise<boolean> {
  const reference = { host: planned.host, connection: planned.connection, connector: planned.connector };
  // What is only granted access leaves no device behind: the consumer has to be detached.
  if (planned.connector !== null || !isWhollyKnown(reference as Value)) return false;
  const { backend, uuid } = locate(context, prior.id, "id");
  try {
    const found = await findAttachment(backend, uuid, prior.backend_identity);
    const connector = await connectorOf(context, backend, reference as Pick<Written, keyof typeof reference>);
    const { target } = backend;
    return (
      found !== undefined && target.initiatorOf(found.attachment.connector) === target.initiatorOf(connector)
    );
  } catch (error) {
    // Nobody answers: that is not known. What was only granted access may be in use there, and nothing would stop its
    // being taken away; what was logged in to is detached first, and that needs the machine.
    if (!isStorageError(error) || (prior.connector !== null && isAbsentConsumer(error))) throw error;
    return false;
  }
}

/** What is mounted as one type holds that type, and nothing is ever formatted anew. */
function refuseOtherType(prior: AttachmentState, { filesystem: wanted }: AttachmentPlan): void {
  const held = prior.status === whole ? prior.filesystem?.type : undefined;
  if (held === undefined || wanted === null || isUnknown(wanted)) return;
  if (isUnknown(wanted.type) || wanted.type === held) return;
  throw new StorageError({
    kind: "InvalidInput",
    action: `change the file system from ${held} to ${wanted.type}`,
    reason: "The volume would have to be formatted anew, and what it holds now would be lost",
    nextStep: `Write type = "${held}" again; for another type, attach a new volume and copy the data`,
    attribute: ["filesystem", "type"],
  });
}

/** What the configuration alone shows to be impossible on this backend. */
function checkUse(
  context: HookContext,
  backend: Backend,
  { host, connection, filesystem: fileSystem }: Pick<AttachmentPlan, "host" | "connection" | "filesystem">,
): void {
  if (host !== null && !isUnknown(host)) requireReachableFrom(context, backend, host);
  if (backend.target.protocol !== "local") return;
  const local = (attribute: string, reason: string, nextStep: string) =>
    new StorageError({
      kind: "InvalidInput",
      action: `attach a volume of backend "${backend.name}"`,
      reason,
      nextStep,
      attribute: [attribute],
    });
  if (connection !== null) {
    throw local(
      "connection",
      `The backend exports nothing: its volumes are there on its own host "${backend.settings.host}" only`,
      `Write host = "${backend.settings.host}", or give the backend an iscsi or nvmet block`,
    );
  }
  if (fileSystem !== null && backend.driver.technology === "file") {
    throw local(
      "filesystem",
      "Its volumes are files, not devices that could be mounted",
      "Leave filesystem out, or give the backend an iscsi or nvmet block",
    );
  }
}

/** Only what granted access can take it back. */
function requireSameProtocol(backend: Backend, { id, connection_info: info }: AttachmentState): void {
  const { protocol } = backend.target;
  if (info === null || info.driver_volume_type === protocol) return;
  throw new StorageError({
    kind: "InvalidConfiguration",
    action: `use attachment ${parseObjectId(id, "id").uuid}`,
    reason: `It was made over ${info.driver_volume_type}, and the backend's protocol is ${protocol} now: nothing of it could be looked at, or taken back`,
    nextStep: `Give backend "${backend.name}" its former iscsi or nvmet block again, destroy its attachments, and change it then`,
    backend: backend.name,
  });
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
    nextStep: `Write host = "${backend.settings.host}", or connector to note who may use the volume, or give the backend an iscsi or nvmet block`,
    attribute: ["host"],
  });
}

/** Part of planning a creation: whether the backend can export anything. */
async function checkTarget(backend: Backend): Promise<void> {
  try {
    await backend.targetReady();
  } catch (error) {
    if (!toleratesAbsence(backend, error)) throw error;
  }
}

/** What no volume of that size can be shown as. */
async function checkVolumeSize(
  backend: Backend,
  volumeId: string,
  { volume_size: size }: Pick<Written, "volume_size">,
): Promise<void> {
  const volume: VolumeRecord | undefined = (await backend.listing()).volumes.get(volumeId);
  if (size === null || volume === undefined || gibToBytes(size) <= volume.sizeBytes) return;
  throw new StorageError({
    kind: "InvalidInput",
    action: `attach volume "${volume.name}" with ${size} GiB`,
    reason: `It has ${bytesToGib(volume.sizeBytes)} GiB`,
    nextStep: "Let volume_size be the size attribute of the volume itself",
    attribute: ["volume_size"],
  });
}

/** The volume's attachments in state: at apply nothing tells of them, and a create could take one up. */
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

/** What is to be done on the consumer; null for nothing. `prior` is what it had before. */
function useOf(context: HookContext, backend: Backend, written: Written, prior: Written | null): Use | null {
  const isNeeded = needsConsumer(backend, written) || (prior !== null && needsConsumer(backend, prior));
  const consumer = isNeeded ? consumerOf(context, written) : null;
  if (consumer === null) return null;
  const { filesystem: fileSystem, mode, multipath } = written;
  return {
    consumer,
    multipath,
    filesystem: fileSystem === null ? null : toFilesystemRequest(fileSystem, mode),
  };
}

async function restore(
  context: HookContext,
  backend: Backend,
  uuid: string,
  prior: AttachmentState,
  written: Written,
): Promise<AttachedVolume | GrantedAttachment> {
  const identity = prior.backend_identity;
  const use = useOf(context, backend, written, prior);
  if (use === null) return ensureAccess(backend, uuid, identity, {}, context.signal);
  if (backend.target.protocol !== "local") {
    const found = await findAttachment(backend, uuid, identity);
    const connector = await use.consumer.properties(backend.target.protocol);
    if (found !== undefined)
      requireSameConsumer(backend, found.attachment.connector, connector, use.consumer);
  }
  // Of what was imported nobody knows how the consumer has it.
  const previous = needsConsumer(backend, prior)
    ? { multipath: prior.multipath, mountPoint: prior.filesystem?.mount_point ?? null }
    : null;
  return reattachOnConsumer(backend, uuid, identity, use, previous, context.signal);
}

/** The consumer that a destroy has to detach; null where there is none, or where it was taken out of the configuration. */
function findConsumer(context: HookContext, backend: Backend, state: AttachmentState) {
  if (!needsConsumer(backend, state)) return null;
  try {
    return consumerOf(context, state);
  } catch (error) {
    if (absenceOf(error) === undefined || !isStorageError(error)) throw error;
    if (!state.force_detach) throw consumerGone(error);
    warnOfForce(context, parseObjectId(state.id, "id").uuid, error);
    return null;
  }
}

function warnOfForce(context: HookContext, uuid: string, absence: StorageError): void {
  context.warn({
    summary: `Attachment ${uuid} was revoked on the storage side alone`,
    detail: `${absence.detail} If that machine still exists, it may hold a dead device, a mount and a line in its fstab.`,
  });
}

/** Which of `host` and `connector` the user would have written. */
function importedConsumer(connector: Connector, backend: Backend): Pick<Written, "host" | "connector"> {
  const { host, initiator, nqn, ip } = connector;
  const { protocol } = backend.target;
  const isOwnHost = host === backend.settings.host && (initiator ?? nqn ?? ip) === undefined;
  if (protocol === "local" && isOwnHost) return { host: backend.settings.host, connector: null };
  return {
    host: null,
    connector: { host: host ?? null, initiator: initiator ?? null, nqn: nqn ?? null, ip: ip ?? null },
  };
}

function stateOf(
  granted:
    | AttachedVolume
    | GrantedAttachment
    | (Omit<GrantedAttachment, "connection" | "credentials"> & { readonly connection: null }),
  identity: string,
  written: Written & { readonly id: string },
): AttachmentState {
  const device = "device" in granted ? granted.device : null;
  const onHost = granted.connection?.data["device_path"];
  return {
    ...written,
    status: whole,
    device_path: device?.path ?? (written.host !== null && typeof onHost === "string" ? onHost : null),
    connection_info: granted.connection === null ? null : describeConnection(granted.connection),
    size: bytesToGib(device?.sizeBytes ?? granted.volume.sizeBytes),
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
