/** What a data file holds. A volume keeps the format it was made in; copies keep their source's. */
export type FileFormat = "raw" | "qcow2";

export type ObjectKind = "volume" | "snapshot";

/** An object's name in the directory, without the ending: `volume-<uuid>`. */
export type ObjectName = `${ObjectKind}-${string}`;

/** Everything of ours that is not an object's own file lives here, below the backend's directory. */
export const privateDirectory = ".breezeblock";

/** Half-made data and metadata. Whatever no reservation stands for is rubbish to whoever holds the lock. */
export const creatingDirectory = `${privateDirectory}/creating`;

/** Images, each for as long as a volume is filled from it, in directories of the volumes' ids. */
export const imagesDirectory = `${privateDirectory}/images`;

/** Images that are kept for volumes to come. */
export const imageCacheDirectory = `${privateDirectory}/image-cache`;

/** Records of long copies. */
export const jobsDirectory = `${privateDirectory}/jobs`;

const uuid = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const uuidPattern = new RegExp(`^${uuid}$`);
const namePattern = new RegExp(`^(volume|snapshot)-(${uuid})\\.(json|raw|qcow2)$`);

/** A POSIX extended expression for `find -regex`: the only names of the directory that are ever looked at. */
export const findExpression =
  ".*/(volume|snapshot)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\.(json|raw|qcow2)";

/** Lower-case UUIDs only: an id becomes part of a file name. */
export function isId(text: string): boolean {
  return uuidPattern.test(text);
}

export function objectName(kind: ObjectKind, id: string): ObjectName {
  return `${kind}-${id}`;
}

export interface FileName {
  readonly object: ObjectName;
  readonly kind: ObjectKind;
  readonly id: string;
  readonly ending: "json" | FileFormat;
}

/**
 * A name that a file of other people's can be adopted under: one of the directory itself, not hidden, and without control
 * characters. None of ours: what has one of those is an object, or damaged.
 */
export function isForeignName(name: string): boolean {
  return /^[^./\p{Cc}\ufffd][^/\p{Cc}\ufffd]{0,254}$/u.test(name) && !namePattern.test(name);
}

/** Takes a file's name apart; `undefined` for what is none of ours. */
export function parseFileName(name: string): FileName | undefined {
  const match = namePattern.exec(name);
  const [, kind, id, ending] = match ?? [];
  if (id === undefined || (kind !== "volume" && kind !== "snapshot")) return undefined;
  if (ending !== "json" && ending !== "raw" && ending !== "qcow2") return undefined;
  return { object: objectName(kind, id), kind, id, ending };
}
