import {
  type Backend,
  createVolume,
  deleteVolume,
  findVolume,
  formatObjectId,
  isProtected,
  nameTaken,
  parseObjectId,
  requireOwn,
  requireSource,
  retainVolume,
  shrinks,
  updateVolume,
  type VolumeChanges,
} from "../src/backend/index.ts";
import {
  type Inventory,
  type JsonValue,
  StorageError,
  type VolumeRecord,
  type VolumeSource,
} from "../src/contract/index.ts";
import { labelsAllOf, labelsOf, labelsSetting, plannedLabelsAll } from "./common/labels.ts";
import { objectName, objectNamePrefix } from "./common/names.ts";
import {
  acknowledgeReplaced,
  identityOf,
  isSameObject,
  keepingPartialState,
  locate,
  nothingToImport,
  objectIdentity,
  parseBackendReference,
  parseImport,
  readTolerantly,
  toleratesAbsence,
  warnIfUnfinished,
  withoutDefaults,
} from "./common/objects.ts";
import { claimForCreation, claimForHeld } from "./common/planned-names.ts";
import { bytesToGib, gibToBytes, sizeInGib } from "./common/sizes.ts";
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
  type PlanRequest,
  type PlanResponse,
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
  name: string("optional_computed", {
    description:
      "The volume's name: unique for owner and backend, kept as metadata on the host, changed in place. Exactly one of `name` and `name_prefix` is given.",
    validators: [objectName],
    example: "db",
  }),
  name_prefix: string("optional", {
    description:
      "What a generated, unique name begins with. Lets a replacement be created before the old volume is destroyed.",
    validators: [objectNamePrefix],
  }),
  size: integer("optional_computed", {
    description:
      "Size in GiB, required unless `source` gives it. Grows in place; a smaller size than the volume has is refused at plan.",
    validators: [sizeInGib],
    example: 10,
  }),
  backend: string("required", {
    description:
      "The backend to allocate on, a key of the provider's `backends`; `name#pool` for one of its pools. A change is refused at plan, unless `on_backend_change` allows it.",
    example: "fast",
  }),
  on_backend_change: choice(["refuse", "replace"], "defaulted", {
    description:
      "What a changed `backend` does: `refuse` stops the plan; `replace` destroys the volume **with its data** and makes an empty one on the other backend.",
    default: "refuse",
  }),
  source: object(
    {
      snapshot_id: string("optional", { description: "The snapshot whose content the volume starts with." }),
      volume_id: string("optional", {
        description: "The volume whose content the volume starts with (a clone).",
      }),
    },
    "optional",
    {
      description:
        "What the new volume's content is copied from, on the same backend; afterwards the two are independent. Exactly one of its attributes is given. Without a source the volume reads as zeros.",
    },
  ),
  on_source_change: choice(["refuse", "replace", "keep"], "defaulted", {
    description:
      "What a changed `source` does: `refuse` stops the plan; `replace` destroys the volume **with its data** and makes it anew from the new source; `keep` notes the new source and leaves the data as it is. Removing `source` never touches the volume.",
    default: "refuse",
  }),
  provisioning: choice(["thin", "thick"], "optional_computed", {
    description:
      "`thin` takes space as it is written, `thick` reserves all of it at once. Default: the backend's first. Cannot be changed.",
  }),
  multiattach: boolean("defaulted", {
    description: "Whether the volume may have several attachments at a time.",
    default: false,
  }),
  deletion_protection: boolean("optional_computed", {
    description:
      "Refuses to delete the volume: at plan, and always on the host. Default: the provider's `deletion_protection`.",
  }),
  deletion_policy: choice(["delete", "retain"], "defaulted", {
    description:
      "What destroying the resource does: `delete` deletes the volume and its data; `retain` leaves it on the backend, marked as retained.",
    default: "delete",
  }),
  labels: stringMap("optional", {
    description: "Any strings; kept on the host with the volume, over the provider's `default_labels`.",
    example: { app: "postgres" },
  }),
  timeouts: timeouts("create", "read", "update", "delete"),
  labels_all: stringMap("computed", {
    description: "`labels` and the provider's `default_labels` together, as kept on the host.",
  }),
  pool: string("computed", { description: "The pool of the backend that the volume is in." }),
  size_bytes: integer("computed", { description: "The exact size in bytes." }),
  provider_location: string("computed", {
    description: "Where the data is on the storage host, in the technology's own terms.",
  }),
  device_path: string("computed_nullable", {
    description: "Path of the volume on the storage host itself, where it has one.",
  }),
  backend_identity: string("computed", {
    description:
      "What the storage behind the backend calls itself; it must stay the same for the volume to count as gone.",
  }),
  created_at: string("computed", { description: "When the volume was created, RFC 3339 in UTC." }),
} as const;

type VolumeAttributes = typeof attributes;
type VolumeState = State<VolumeAttributes>;
type VolumePlan = Planned<VolumeAttributes>;

/** What only the configuration decides: known at apply, and kept as written. */
const writtenNames = [
  "name_prefix",
  "backend",
  "on_backend_change",
  "source",
  "on_source_change",
  "multiattach",
  "deletion_policy",
  "labels",
  "timeouts",
] as const;
type Written = Pick<VolumeState, (typeof writtenNames)[number]>;

const minute = 60_000;

/** `breezeblock_volume`: a block device's worth of storage on a backend. */
export const volume = defineResource<VolumeAttributes>({
  name: "volume",
  description: "A volume: block storage allocated on a backend.",
  version: 0,
  attributes,
  identity: objectIdentity,
  timeouts: { create: 60 * minute, read: 5 * minute, update: 20 * minute, delete: 20 * minute },

  validate,
  plan,

  async planDelete(context, prior) {
    if (context !== null) {
      await claimForHeld(context, locate(context, prior.id, "id").backend, "volume", prior.name, null);
    }
    refuseProtected(prior);
  },

  async read(context, state) {
    const { backend, uuid } = locate(context, state.id, "id");
    return readTolerantly(context, backend, state, async () => {
      const record = await findVolume(backend, uuid, state.backend_identity);
      if (record === undefined) return null;
      warnIfUnfinished(context, "volume", record);
      warnIfCut(context, record, state);
      return stateOf(record, backend, state.backend_identity, state);
    });
  },

  async create(context, planned, privateData) {
    const written = settled(planned, writtenNames);
    const { name, pool } = parseBackendReference(written.backend);
    const backend = context.fleet.backend(name, ["backend"]);
    const replaced = privateData["replaces"];
    if (typeof replaced === "string") backend.known.add(replaced);
    if (!isUnknown(planned.backend_identity)) await backend.listingOf(planned.backend_identity);
    const record = await keepingPartialState(
      backend,
      planned,
      // What is unfinished is never protected: it holds no data, and could not be removed otherwise.
      (uuid) => ({ id: formatObjectId({ backend: backend.name, uuid }), deletion_protection: false }),
      () =>
        createVolume(
          backend,
          {
            name: written.name_prefix === null ? settled(planned, ["name"]).name : null,
            namePrefix: written.name_prefix,
            sizeBytes: isUnknown(planned.size) ? null : gibToBytes(planned.size),
            source: sourceOf(context, written.source, backend),
            pool,
            provisioning: isUnknown(planned.provisioning)
              ? (backend.driver.features.provisioning[0] ?? "thin")
              : planned.provisioning,
            multiattach: written.multiattach,
            labels: written.labels ?? {},
            defaultLabels: context.fleet.settings.defaultLabels,
            deletionProtection: isUnknown(planned.deletion_protection)
              ? context.fleet.settings.deletionProtection
              : planned.deletion_protection,
            settings: settingsOf(written),
          },
          context.signal,
        ),
    );
    backend.noteReturned(record.id);
    return stateOf(record, backend, await identityOf(backend), { ...written, id: null });
  },

  async update(context, prior, planned) {
    const { backend, uuid } = locate(context, prior.id, "id");
    const written = settled(planned, writtenNames);
    const changes = changesBetween(context, prior, planned, written);
    const record = await updateVolume(backend, uuid, prior.backend_identity, changes, context.signal);
    return stateOf(record, backend, prior.backend_identity, { ...written, id: prior.id });
  },

  async delete(context, state) {
    const { backend, uuid } = locate(context, state.id, "id");
    const remove = state.deletion_policy === "retain" ? retainVolume : deleteVolume;
    await remove(backend, uuid, state.backend_identity, context.signal);
  },

  async import(context, request) {
    const { backend, reference } = parseImport(context, "volume", request);
    const listing = await backend.listing();
    const record =
      "uuid" in reference
        ? listing.volumes.get(reference.uuid)
        : [...listing.volumes.values()].find(
            ({ name, owner }) => name === reference.name && owner === backend.owner,
          );
    if (record === undefined) throw nothingToImport(backend, "volume", reference);
    requireOwn(backend, "volume", record);
    warnIfUnfinished(context, "volume", record);
    backend.noteImport(record.id);
    return stateOf(record, backend, await identityOf(backend), null);
  },

  noteState(fleet, state) {
    const id = parseObjectId(state.id, "id");
    fleet.backends
      .find((backend) => backend.answersTo(id.backend))
      ?.noteState(id.uuid, state.backend_identity);
  },
});

function refuseProtected(prior: VolumeState): void {
  if (prior.deletion_policy === "retain" || !prior.deletion_protection) return;
  throw new StorageError({
    kind: "DeletionProtected",
    action: `delete volume "${prior.name}" (${prior.id})`,
    reason: "It is protected against deletion",
    nextStep:
      "Set deletion_protection = false and apply that first; where its block is gone from the configuration, put it back for that",
    attribute: ["deletion_protection"],
  });
}

/** A volume that has become smaller has lost data, and growing it again would only hide that. */
function warnIfCut(context: HookContext, record: VolumeRecord, state: VolumeState): void {
  if (record.sizeBytes >= state.size_bytes) return;
  context.warn({
    summary: `Volume "${record.name}" has become smaller on the host`,
    detail: `It had ${state.size_bytes} bytes when it was last looked at, and has ${record.sizeBytes} now: what was written beyond is lost. Growing it again brings nothing of it back.`,
    path: ["size"],
  });
}

function validate(config: Config<VolumeAttributes>): Diagnostic[] {
  const found: Diagnostic[] = [];
  const { name, name_prefix: prefix, size, source } = config;
  if (name !== null && prefix !== null) {
    found.push(
      errorAt(["name_prefix"], "Conflicting name_prefix", "Give either name or name_prefix, not both."),
    );
  }
  if (name === null && prefix === null) {
    found.push(errorAt(["name"], "Missing name", "A volume needs a name or a name_prefix."));
  }
  if (size === null && source === null) {
    found.push(errorAt(["size"], "Missing size", "A volume needs a size in GiB, unless a source gives it."));
  }
  if (source !== null && !isUnknown(source)) {
    const { snapshot_id: snapshot, volume_id: cloned } = source;
    if (snapshot === null && cloned === null) {
      found.push(errorAt(["source"], "Empty source", "A source needs a snapshot_id or a volume_id."));
    }
    if (snapshot !== null && cloned !== null) {
      found.push(
        errorAt(
          ["source", "volume_id"],
          "Conflicting source",
          "Give either snapshot_id or volume_id, not both.",
        ),
      );
    }
  }
  return found;
}

async function plan(
  context: HookContext | null,
  request: PlanRequest<VolumeAttributes>,
): Promise<PlanResponse<VolumeAttributes>> {
  const { config, prior } = request;
  const shared: VolumePlan = {
    ...request.planned,
    deletion_protection: config.deletion_protection ?? context?.fleet.settings.deletionProtection ?? UNKNOWN,
    labels_all: plannedLabelsAll(request.planned.labels, context?.fleet.settings.defaultLabels),
    size_bytes: plannedBytes(request.planned.size, prior),
  };
  if (prior !== null) return planChange(context, request, shared, prior);
  const identity = context === null ? UNKNOWN : await checkCreation(context, shared, request.private);
  return { planned: { ...shared, backend_identity: identity }, replace: [], private: request.private };
}

function plannedBytes(size: VolumePlan["size"], prior: VolumeState | null): VolumePlan["size_bytes"] {
  if (isUnknown(size)) return UNKNOWN;
  // A volume that was found may have any number of bytes: unchanged is unchanged.
  return prior !== null && size === prior.size ? prior.size_bytes : gibToBytes(size);
}

async function planChange(
  context: HookContext | null,
  request: PlanRequest<VolumeAttributes>,
  shared: VolumePlan,
  prior: VolumeState,
): Promise<PlanResponse<VolumeAttributes>> {
  const { config } = request;
  const replace = [...request.replace];
  let planned = shared;
  if (config.name === null && !valuesEqual(config.name_prefix, prior.name_prefix)) {
    planned = { ...planned, name: UNKNOWN };
  }
  if (backendChanges(context, planned.backend, prior)) {
    if (planned.on_backend_change !== "replace") throw refusedBackendChange(planned.backend, prior);
    replace.push(["backend"]);
  }
  if (sourceChanges(context, planned.source, prior.source)) {
    if (planned.on_source_change === "replace") replace.push(["source"]);
    else if (planned.on_source_change !== "keep") throw refusedSourceChange(prior);
  }
  if (
    !isUnknown(planned.provisioning) &&
    planned.provisioning !== prior.provisioning &&
    replace.length === 0
  ) {
    throw refusedProvisioningChange(prior);
  }
  if (!isUnknown(planned.size_bytes) && planned.size_bytes < prior.size_bytes && replace.length === 0) {
    throw shrinks({ name: prior.name, sizeBytes: prior.size_bytes }, planned.size_bytes);
  }
  if (replace.length > 0) refuseProtected(prior);
  if (context !== null) {
    const { backend } = locate(context, prior.id, "id");
    const keepsName = replace.length === 0 && !isUnknown(planned.name) ? planned.name : null;
    await claimForHeld(context, backend, "volume", prior.name, keepsName);
  }
  // Replacing may also be the user's own wish: what is planned next may then be the creation of the replacement.
  return { planned, replace, private: { replaces: parseObjectId(prior.id, "id").uuid } };
}

/**
 * Whether a create can succeed, as far as configuration and inventory tell. Returns what the storage calls itself: a plan
 * that says so cannot be carried out on another that has come to its place, which at apply nothing else would tell.
 */
async function checkCreation(
  context: HookContext,
  planned: VolumePlan,
  privateData: PrivateData,
): Promise<VolumePlan["backend_identity"]> {
  if (isUnknown(planned.backend)) return UNKNOWN;
  const backend = context.fleet.backend(parseBackendReference(planned.backend).name, ["backend"]);
  const { name, provisioning } = planned;
  if (!isUnknown(provisioning) && !backend.driver.features.provisioning.includes(provisioning)) {
    throw new StorageError({
      kind: "NotSupported",
      action: `make a ${provisioning} volume`,
      reason: `This backend makes ${backend.driver.features.provisioning.join(" or ")} volumes only`,
      backend: backend.name,
      attribute: ["provisioning"],
    });
  }
  // Also where an unreachable host is tolerated: what is replaced must not be taken for unfinished at apply.
  await acknowledgeReplaced(backend, privateData);
  try {
    await backend.checkIdentity("creation");
    const listing = await backend.listing();
    checkSource(context, backend, listing, planned);
    if (!isUnknown(name) && planned.name_prefix === null) {
      await claimForCreation(context, backend, "volume", name, listing.volumes, privateData);
      for (const record of listing.volumes.values()) {
        if (record.owner === backend.owner && record.name === name) warnOfTakenName(context, backend, record);
      }
    }
    return listing.identity ?? UNKNOWN;
  } catch (error) {
    if (!toleratesAbsence(backend, error)) throw error;
    return UNKNOWN;
  }
}

/** Whether the source, where it is known already, is there and fits. */
function checkSource(
  context: HookContext,
  backend: Backend,
  inventory: Inventory,
  planned: VolumePlan,
): void {
  const { source, size_bytes: sizeBytes } = planned;
  if (source === null || !isWhollyKnown(source as Value)) return;
  const found = sourceOf(context, source as Written["source"], backend);
  if (found !== null) requireSource(backend, found, inventory, isUnknown(sizeBytes) ? null : sizeBytes);
}

/**
 * A warning only, because the volume may be the one that this creation replaces: the engines plan a replacement that is
 * made first again at apply, without a word of the old volume, and an error then makes them forget that it is in use.
 * The create itself refuses.
 */
function warnOfTakenName(context: HookContext, backend: Backend, record: VolumeRecord): void {
  const resumable =
    record.phase === "creating" || (record.phase === "unacknowledged" && backend.owner !== "");
  if (resumable || backend.known.has(record.id)) return;
  const { detail, attribute } = nameTaken(backend, record);
  context.warn({
    summary: `Creating volume "${record.name}" is going to be refused`,
    detail,
    path: attribute,
  });
}

/** A backend that was renamed, with its old name among the aliases, is the same backend. */
function backendChanges(
  context: HookContext | null,
  planned: VolumePlan["backend"],
  prior: VolumeState,
): boolean {
  if (isUnknown(planned)) return true;
  if (planned === prior.backend) return false;
  const wanted = parseBackendReference(planned);
  const current = parseBackendReference(prior.backend);
  const samePool = wanted.pool === null || wanted.pool === prior.pool;
  const sameBackend =
    wanted.name === current.name ||
    context?.fleet.backend(wanted.name, ["backend"]).answersTo(current.name) === true;
  return !(sameBackend && samePool);
}

/** A source that is taken away, or was never known (imported), changes nothing. */
function sourceChanges(
  context: HookContext | null,
  planned: VolumePlan["source"],
  prior: VolumeState["source"],
): boolean {
  if (planned === null || prior === null) return false;
  if (!isWhollyKnown(planned as Value)) return true;
  const { snapshot_id, volume_id } = planned as NonNullable<VolumeState["source"]>;
  const isSame = (wanted: string | null, current: string | null) =>
    wanted === current || (wanted !== null && current !== null && isSameObject(context, wanted, current));
  return !(isSame(snapshot_id, prior.snapshot_id) && isSame(volume_id, prior.volume_id));
}

function refusedBackendChange(planned: VolumePlan["backend"], prior: VolumeState): StorageError {
  return new StorageError({
    kind: "InvalidInput",
    action: `move volume "${prior.name}" from backend "${prior.backend}" to ${isUnknown(planned) ? "one not known yet" : `"${planned}"`}`,
    reason: "Another backend would mean a new, empty volume",
    nextStep:
      'Write the old backend again; set on_backend_change = "replace" to give the data up; or, if the backend was only renamed, list its old name in its aliases',
    attribute: ["backend"],
  });
}

function refusedSourceChange(prior: VolumeState): StorageError {
  return new StorageError({
    kind: "InvalidInput",
    action: `change the source of volume "${prior.name}"`,
    reason: "The volume's content would have to be made anew, and what it holds now would be lost",
    nextStep:
      'Write the old source again, or remove source; or set on_source_change to "keep" (keeps the data) or "replace" (gives it up)',
    attribute: ["source"],
  });
}

function refusedProvisioningChange(prior: VolumeState): StorageError {
  return new StorageError({
    kind: "InvalidInput",
    action: `change the provisioning of volume "${prior.name}"`,
    reason: `It was made ${prior.provisioning}, and that cannot be changed in place`,
    nextStep: `Write provisioning = "${prior.provisioning}", or replace the volume explicitly (-replace) if its data may go`,
    attribute: ["provisioning"],
  });
}

function sourceOf(context: HookContext, source: Written["source"], backend: Backend): VolumeSource | null {
  if (source === null) return null;
  const kind = source.snapshot_id === null ? "volume" : "snapshot";
  const attribute = ["source", `${kind}_id`];
  const located = locate(context, source.snapshot_id ?? source.volume_id ?? "", attribute);
  if (located.backend === backend) return { kind, id: located.uuid };
  throw new StorageError({
    kind: "InvalidInput",
    action: `make a volume on backend "${backend.name}" from a ${kind} on backend "${located.backend.name}"`,
    reason: "Source and volume must be on the same backend",
    attribute,
  });
}

function changesBetween(
  context: HookContext,
  prior: VolumeState,
  planned: VolumePlan,
  written: Written,
): VolumeChanges {
  // Unknown at apply is only the name that a changed prefix generates.
  const name = isUnknown(planned.name) ? `${written.name_prefix ?? ""}${prior.id.slice(-8)}` : planned.name;
  const sizeBytes = isUnknown(planned.size_bytes) ? prior.size_bytes : planned.size_bytes;
  return {
    ...(name === prior.name ? {} : { name }),
    ...(sizeBytes === prior.size_bytes ? {} : { sizeBytes }),
    labels: written.labels ?? {},
    defaultLabels: context.fleet.settings.defaultLabels,
    deletionProtection: settled(planned, ["deletion_protection"]).deletion_protection,
    multiattach: written.multiattach,
    settings: settingsOf(written),
  };
}

const settingDefaults = {
  on_backend_change: "refuse",
  on_source_change: "refuse",
  deletion_policy: "delete",
} as const;

/** What only the resource needs to know, kept on the host for imports. */
function settingsOf(written: Written): Readonly<Record<string, JsonValue>> {
  const { name_prefix, on_backend_change, on_source_change, deletion_policy, timeouts: limits } = written;
  const labels = labelsSetting(written.labels);
  return withoutDefaults(
    { name_prefix, on_backend_change, on_source_change, deletion_policy, labels, timeouts: limits },
    settingDefaults,
  );
}

/**
 * State of a volume as it is on the host. What only the configuration knows comes from `written`; for an import, from
 * what the host keeps of it.
 */
function stateOf(
  record: VolumeRecord,
  backend: Backend,
  identity: string,
  written: (Written & { readonly id: string | null }) | null,
): VolumeState {
  const kept = written ?? importedSettings(record, backend);
  return {
    id: kept.id ?? formatObjectId({ backend: backend.name, uuid: record.id }),
    name: record.name,
    name_prefix: kept.name_prefix,
    size: bytesToGib(record.sizeBytes),
    backend: kept.backend,
    on_backend_change: kept.on_backend_change,
    source: kept.source,
    on_source_change: kept.on_source_change,
    provisioning: record.provisioning,
    multiattach: record.multiattach,
    deletion_protection: isProtected(record),
    deletion_policy: kept.deletion_policy,
    labels: labelsOf(record, kept.labels),
    timeouts: kept.timeouts,
    labels_all: labelsAllOf(record),
    pool: record.pool,
    size_bytes: record.sizeBytes,
    provider_location: record.location,
    device_path: backend.target.protocol === "local" ? record.location : null,
    backend_identity: identity,
    created_at: record.createdAt,
  };
}

function importedSettings(record: VolumeRecord, backend: Backend): Written & { readonly id: null } {
  return {
    name_prefix: null,
    labels: null,
    timeouts: null,
    ...settingDefaults,
    ...(record.settings as Partial<Written>),
    id: null,
    backend: backend.name,
    source: importedSource(record, backend),
    multiattach: record.multiattach,
  };
}

function importedSource(record: VolumeRecord, backend: Backend): VolumeState["source"] {
  if (record.source === null) return null;
  const id = formatObjectId({ backend: backend.name, uuid: record.source.id });
  return record.source.kind === "snapshot"
    ? { snapshot_id: id, volume_id: null }
    : { snapshot_id: null, volume_id: id };
}
