import { resolve } from "node:path";
import {
  type Backend,
  createImage,
  deleteImage,
  findImageFile,
  formatObjectId,
  type ImageOrigin,
  isImageBegun,
  requireCopyable,
} from "../src/backend/index.ts";
import {
  type AttributePath,
  type ImageContent,
  type ImageDestination,
  imageFormats,
  isStorageError,
  StorageError,
} from "../src/contract/index.ts";
import {
  identityOf,
  isSameObject,
  locate,
  locateVolume,
  objectIdentity,
  readTolerantly,
  toleratesAbsence,
} from "./common/objects.ts";
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
  type Planned,
  type State,
  settled,
  string,
  timeouts,
  type Validator,
} from "./schema/index.ts";

const filePath: Validator<string> = {
  description: "name a file, on one line",
  check: (value) =>
    value === "" || value.endsWith("/") || /[\0\n]/.test(value)
      ? `It must name a file, and ${JSON.stringify(value)} does not.`
      : undefined,
};

const absolute: Validator<string> = {
  description: "be an absolute path",
  check: (value) =>
    value.startsWith("/") ? undefined : `It must be an absolute path, and "${value}" is not.`,
};

const attributes = {
  id: string("computed", { description: "`<backend>/<uuid>`; never changes." }),
  volume_id: string("optional", {
    description:
      "The volume to copy, or else `snapshot_id`. It must not have an attachment in mode `rw` while it is copied. A change makes a new image in place of this one.",
    replaces: true,
    example: "fast/6f3c1f0e-7a55-4c0b-9f4e-2f7a0c1d9b11",
  }),
  snapshot_id: string("optional", {
    description:
      "The snapshot to copy, or else `volume_id`; its volume may be in use. A change makes a new image in place of this one.",
    replaces: true,
  }),
  path: string("optional", {
    description:
      "The absolute path of the file on the storage host, or else `local_path`. Its directory must be there, and no file of that name: nothing is ever written over. A change makes a new image in place of this one.",
    validators: [absolute, filePath],
    replaces: true,
    example: "/srv/images/db.qcow2",
  }),
  local_path: string("optional", {
    description:
      "The path of the file on the machine that runs the engine, or else `path`. The image is made on the storage host first, which needs the room for it meanwhile. A change makes a new image in place of this one.",
    validators: [filePath],
    replaces: true,
  }),
  format: choice(imageFormats, "required", {
    description: "What the file is to be. `qcow2` needs `qemu-img` on the storage host.",
    replaces: true,
    example: "qcow2",
  }),
  compressed: boolean("defaulted", {
    description: "Compresses the image's clusters; for `qcow2` only.",
    default: false,
    replaces: true,
  }),
  deletion_policy: choice(["retain", "delete"], "defaulted", {
    description:
      "What destroying the resource does: `retain` leaves the file where it is; `delete` removes it, where its size and checksum prove that it is still the one that was written, and refuses otherwise.",
    default: "retain",
  }),
  timeouts: timeouts("create", "read", "delete"),
  size: integer("computed", { description: "The file's size in bytes." }),
  checksum: string("computed", {
    description:
      "`sha256:` and the digest of the file as it was written, as `source.image.checksum` takes it.",
  }),
  backend_identity: string("computed", {
    description:
      "What the storage behind the backend calls itself; it must stay the same for the file to count as gone.",
  }),
  created_at: string("computed", { description: "When the copy was finished, RFC 3339 in UTC." }),
} as const;

type ImageAttributes = typeof attributes;
type ImageState = State<ImageAttributes>;

const origins = ["volume_id", "snapshot_id"] as const;
const places = ["path", "local_path"] as const;
const writtenNames = [...origins, ...places, "format", "compressed", "deletion_policy", "timeouts"] as const;
type Written = Pick<ImageState, (typeof writtenNames)[number]>;

const minute = 60_000;

const notImported = "Nothing on the host tells what an image's file was copied from";

/** `breezeblock_image`: a disk image that a volume's or a snapshot's content is copied out to. */
export const image = defineResource<ImageAttributes>({
  name: "image",
  description:
    "A disk image: the content of a volume or a snapshot, copied out to a file on the storage host or on the machine that runs the engine, once. A file that is gone, or has another size, is made anew at the next apply; what becomes of the volume afterwards does not matter to it.",
  version: 0,
  attributes,
  identity: objectIdentity,
  timeouts: { create: 240 * minute, read: 5 * minute, update: 5 * minute, delete: 60 * minute },

  validate,

  async plan(context, { prior, planned, replace: changed }) {
    const replace = replacing(context, prior, planned, changed);
    if (prior !== null && replace.length > 0) {
      refuseRetained(prior, planned);
      if (context !== null) noteFreed(context, prior);
    }
    if (context !== null && prior === null) await checkCreation(context, planned);
    return { planned, replace };
  },

  async read(context, state) {
    const { backend } = locate(context, state.id, "id");
    return readTolerantly(context, backend, state, async () => {
      const destination = destinationOf(state);
      const size = await findImageFile(backend, destination, state.backend_identity, context.signal);
      if (size === state.size) return state;
      if (size !== undefined) {
        context.warn({
          summary: `The image ${destination.file} is another file by now`,
          detail: `It has ${size} bytes, and the image had ${state.size}. It counts as gone; before another one can be made there, that file has to be moved away.`,
        });
      }
      return null;
    });
  },

  async create(context, planned) {
    const written = settled(planned, writtenNames);
    const { backend, origin } = await locateOrigin(context, written);
    const { id, ...content } = await createImage(backend, origin, destinationOf(written), context.signal);
    return {
      ...written,
      id: formatObjectId({ backend: backend.name, uuid: id }),
      size: content.sizeBytes,
      checksum: `sha256:${content.sha256}`,
      backend_identity: await identityOf(backend),
      created_at: new Date().toISOString(),
    };
  },

  async update(_context, prior, planned) {
    return { ...prior, ...settled(planned, writtenNames) };
  },

  async delete(context, state) {
    if (state.deletion_policy === "retain") return;
    const { backend, uuid } = locate(context, state.id, "id");
    await deleteImage(
      backend,
      { id: uuid, ...contentOf(state) },
      destinationOf(state),
      state.backend_identity,
      context.signal,
    );
  },

  notImported,

  async import() {
    throw new StorageError({
      kind: "NotSupported",
      action: "import an image",
      reason: notImported,
      nextStep: "Leave the file where it is, and make a new image under another name",
    });
  },
});

function validate(config: Config<ImageAttributes>): Diagnostic[] {
  const found = [...exactlyOne(config, origins, "source"), ...exactlyOne(config, places, "place")];
  if (config.compressed === true && config.format === "raw") {
    found.push(errorAt(["compressed"], "Compressed raw image", "Only qcow2 images can be compressed."));
  }
  return found;
}

/** Unknown may turn out to be null. */
function exactlyOne(
  config: Config<ImageAttributes>,
  names: readonly ["volume_id", "snapshot_id"] | readonly ["path", "local_path"],
  what: string,
): Diagnostic[] {
  const [one, other] = names;
  if (config[one] === null && config[other] === null) {
    return [errorAt([one], `Image without a ${what}`, `An image needs ${one} or ${other}.`)];
  }
  const areBothGiven = names.every((name) => config[name] !== null && !isUnknown(config[name] ?? null));
  return areBothGiven
    ? [errorAt([other], `Image with two ${what}s`, `Give one of ${one} and ${other}.`)]
    : [];
}

/** What of `changed` stands when an id that says the same in other words is no change. */
function replacing(
  context: HookContext | null,
  prior: ImageState | null,
  planned: Planned<ImageAttributes>,
  changed: readonly AttributePath[],
): readonly AttributePath[] {
  return changed.filter(([name]) => {
    const origin = origins.find((candidate) => candidate === name);
    if (origin === undefined || prior === null) return true;
    const before = prior[origin];
    const after = planned[origin];
    return before === null || after === null || isUnknown(after) || !isSameObject(context, before, after);
  });
}

function isSamePlace(prior: ImageState, planned: Planned<ImageAttributes>): boolean {
  return places.every((place) => prior[place] === planned[place]);
}

/**
 * Places whose files go by what was planned in a run: engines plan the new image while the old one, which the same apply
 * removes first, is still there.
 */
const freed = new WeakMap<HookContext["fleet"], Set<string>>();

function noteFreed(context: HookContext, prior: ImageState): void {
  if (prior.deletion_policy === "retain") return;
  const names = freed.get(context.fleet) ?? new Set();
  freed.set(context.fleet, names);
  names.add(placeName(locate(context, prior.id, "id").backend, destinationOf(prior)));
}

function placeName(backend: Backend, { place, file }: ImageDestination): string {
  return place === "path" ? `${backend.host.host}:${file}` : file;
}

/** A new image in the place of one whose file stays. */
function refuseRetained(prior: ImageState, planned: Planned<ImageAttributes>): void {
  if (prior.deletion_policy !== "retain" || !isSamePlace(prior, planned)) return;
  const { place, file } = destinationOf(prior);
  throw new StorageError({
    kind: "AlreadyExists",
    action: `make another image in place of ${file}`,
    reason: 'Its deletion_policy is "retain": the file stays, and images are never written over anything',
    nextStep: 'Choose another name; or write deletion_policy = "delete" and apply that first',
    attribute: [place],
  });
}

/** What can be told before the volume itself is there, or its attachments are gone. */
async function checkCreation(context: HookContext, planned: Planned<ImageAttributes>): Promise<void> {
  if (
    [...origins, ...places, "format" as const, "compressed" as const].some((name) => isUnknown(planned[name]))
  )
    return;
  const known = settled(planned, [...origins, ...places, "format", "compressed"]);
  const { backend, origin } = await locateOrigin(context, known);
  const destination = destinationOf(known);
  try {
    await warnOfWriters(context, backend, origin, destination);
    if (freed.get(context.fleet)?.has(placeName(backend, destination)) === true) return;
    if (await isImageBegun(backend, origin, destination)) return;
    const { identity } = await backend.listing();
    const size = await findImageFile(backend, destination, identity ?? "", context.signal);
    if (size === undefined) return;
  } catch (error) {
    if (!toleratesAbsence(backend, error)) throw error;
    return;
  }
  throw new StorageError({
    kind: "AlreadyExists",
    action: `make the image ${destination.file}`,
    reason: `There is a file ${destination.file} already, and images are never written over anything`,
    nextStep: "Choose another name, or move that file away",
    ...(destination.place === "path" && { host: backend.host.host }),
    attribute: [destination.place],
  });
}

/** A warning only: the attachments may be gone by the time that the copy is made. The create itself refuses. */
async function warnOfWriters(
  context: HookContext,
  backend: Backend,
  origin: ImageOrigin,
  { file }: ImageDestination,
): Promise<void> {
  try {
    const listing = await backend.listing();
    const records = origin.kind === "volume" ? listing.volumes : listing.snapshots;
    if (records.has(origin.uuid)) requireCopyable(backend, origin, listing, `copy to the image ${file}`);
  } catch (error) {
    if (!isStorageError(error, "VolumeIsBusy")) throw error;
    context.warn({ summary: error.summary, detail: error.detail, path: error.attribute });
  }
}

async function locateOrigin(
  context: HookContext,
  { volume_id: volumeId, snapshot_id: snapshotId }: Pick<ImageState, "volume_id" | "snapshot_id">,
): Promise<{ readonly backend: Backend; readonly origin: ImageOrigin }> {
  if (snapshotId !== null) {
    const { backend, uuid } = locate(context, snapshotId, "snapshot_id");
    return { backend, origin: { kind: "snapshot", uuid } };
  }
  const { backend, uuid } = await locateVolume(context, volumeId ?? "", "volume_id");
  return { backend, origin: { kind: "volume", uuid } };
}

function destinationOf({
  path,
  local_path: localPath,
  format,
  compressed,
}: Pick<Written, "path" | "local_path" | "format" | "compressed">): ImageDestination {
  const rest = { format, isCompressed: compressed };
  return path === null
    ? { place: "local_path", file: resolve(localPath ?? ""), ...rest }
    : { place: "path", file: path, ...rest };
}

function contentOf({ size, checksum }: Pick<ImageState, "size" | "checksum">): ImageContent {
  return { sizeBytes: size, sha256: checksum.slice("sha256:".length) };
}
