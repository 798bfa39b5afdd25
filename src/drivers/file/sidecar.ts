import type {
  Attachment,
  Connector,
  JsonValue,
  ObjectRecord,
  Phase,
  SnapshotRecord,
  VolumeRecord,
  VolumeSource,
} from "../../contract/index.ts";
import { type FileFormat, isForeignName, type ObjectKind } from "./layout.ts";

/** The version that this code writes. A higher one has changed what fields mean, and is not touched. */
export const sidecarVersion = 1;

interface CommonFields extends Omit<ObjectRecord, "sizeBytes"> {
  readonly format: FileFormat;
  /** What was asked for when the object was made; afterwards the data itself says how large it is. */
  readonly createdSizeBytes: number;
}

export type VolumeFields = CommonFields &
  Pick<
    VolumeRecord,
    "provisioning" | "multiattach" | "source" | "formatted" | "attachments" | "restoring" | "restoringMark"
  > & {
    /** The first name of a file that others made: the object's own name is another of the same file. */
    readonly adoptedFrom?: string;
  };

export type SnapshotFields = CommonFields & Pick<SnapshotRecord, "volumeId">;

/** An object's metadata file: all of its record but what its data and place say. */
export type Sidecar = (
  | { readonly kind: "volume"; readonly fields: VolumeFields }
  | { readonly kind: "snapshot"; readonly fields: SnapshotFields }
) & {
  /** Fields of a later version; kept as they are. */
  readonly unknown: Readonly<Record<string, unknown>>;
};

export type VolumeSidecar = Extract<Sidecar, { kind: "volume" }>;
export type SnapshotSidecar = Extract<Sidecar, { kind: "snapshot" }>;

/** One line of JSON in pure ASCII, without the newline: no locale, terminal or line reader can change it. */
export function formatSidecar(sidecar: Sidecar): string {
  const text = JSON.stringify({
    breezeblock: sidecarVersion,
    kind: sidecar.kind,
    ...sidecar.fields,
    ...sidecar.unknown,
  });
  return text.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The owner that the lines of a metadata file name, whatever else is wrong with it; `null` where none is named. */
export function ownerIn(lines: readonly string[]): string | null {
  try {
    const owner = parseObject(Buffer.from(lines.join("\n"), "latin1"))["owner"];
    return isString(owner) ? owner : null;
  } catch {
    return null;
  }
}

/** Strict: throws an `Error` that says what is wrong with the file. */
export function parseSidecar(bytes: Buffer, kind: ObjectKind, id: string): Sidecar {
  if (bytes.length === 0) throw new Error("is empty");
  const fields = new Fields(parseObject(bytes));
  const version = fields.take("breezeblock", isSize, "a version number");
  if (version > sidecarVersion) {
    throw new Error(
      `has format version ${version}; a newer breezeblock wrote it, this one knows ${sidecarVersion}`,
    );
  }
  fields.take("kind", (value) => value === kind, `"${kind}"`);
  const common: CommonFields = {
    id: fields.take("id", (value): value is string => value === id, `"${id}"`),
    name: fields.take("name", isString, "a string"),
    owner: fields.take("owner", isString, "a string"),
    phase: fields.take("phase", isPhase, "a phase"),
    format: fields.take("format", isFormat, '"raw" or "qcow2"'),
    createdSizeBytes: fields.take("createdSizeBytes", isSize, "a number of bytes"),
    labels: fields.take("labels", isStringMap, "a map of strings"),
    defaultLabels: fields.take("defaultLabels", isStringMap, "a map of strings"),
    deletionProtection: fields.take("deletionProtection", isBoolean, "true or false"),
    settings: fields.take("settings", isJsonObject, "an object"),
    createdAt: fields.take("createdAt", isString, "a time"),
  };
  if (kind === "snapshot") {
    const volumeId = fields.take("volumeId", isString, "a volume's id");
    return { kind, fields: { ...common, volumeId }, unknown: fields.rest() };
  }
  const adoptedFrom = fields.takeOr("adoptedFrom", isFileName, "the name of a file", "");
  return {
    kind,
    fields: {
      ...common,
      ...(adoptedFrom === "" ? {} : { adoptedFrom }),
      provisioning: fields.take("provisioning", isProvisioning, '"thin" or "thick"'),
      multiattach: fields.take("multiattach", isBoolean, "true or false"),
      source: fields.take("source", isSource, "a source or null"),
      // Absent in what was written before there were file systems.
      formatted: fields.takeOr("formatted", isBoolean, "true or false", false),
      attachments: fields.take("attachments", isAttachments, "a list of attachments"),
      // There only while it goes on.
      restoring: fields.takeOr<string | undefined>("restoring", isString, "a snapshot's id", undefined),
      restoringMark: fields.takeOr<string | undefined>("restoringMark", isString, "a text", undefined),
    },
    unknown: fields.rest(),
  };
}

function parseObject(bytes: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw new Error("is not valid JSON");
  }
  if (!isObject(value)) throw new Error("is not a JSON object");
  return value;
}

/** Hands out the fields of an object one by one; what is left in the end is unknown. */
class Fields {
  readonly #left: Map<string, unknown>;

  constructor(object: Record<string, unknown>) {
    this.#left = new Map(Object.entries(object));
  }

  take<T>(name: string, accept: (value: unknown) => value is T, expected: string): T;
  take(name: string, accept: (value: unknown) => boolean, expected: string): unknown;
  take(name: string, accept: (value: unknown) => boolean, expected: string): unknown {
    const value = this.#left.get(name);
    if (!this.#left.delete(name)) throw new Error(`lacks the field "${name}"`);
    if (!accept(value)) throw new Error(`has a field "${name}" that is not ${expected}`);
    return value;
  }

  /** The same for a field that may be absent. */
  takeOr<T>(name: string, accept: (value: unknown) => value is T, expected: string, fallback: T): T {
    return this.#left.has(name) ? this.take(name, accept, expected) : fallback;
  }

  rest(): Record<string, unknown> {
    return Object.fromEntries(this.#left);
  }
}

const isString = (value: unknown): value is string => typeof value === "string";
const isBoolean = (value: unknown): value is boolean => typeof value === "boolean";
const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isFileName = (value: unknown): value is string => isString(value) && isForeignName(value);
const isFormat = (value: unknown): value is FileFormat => value === "raw" || value === "qcow2";
const isProvisioning = (value: unknown): value is "thin" | "thick" => value === "thin" || value === "thick";
const isPhase = (value: unknown): value is Phase =>
  value === "creating" || value === "unacknowledged" || value === "acknowledged" || value === "retained";
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
// What JSON.parse made is JSON already.
const isJsonObject = (value: unknown): value is Record<string, JsonValue> => isObject(value);
const isStringMap = (value: unknown): value is Record<string, string> =>
  isObject(value) && Object.values(value).every(isString);

function isSource(value: unknown): value is VolumeSource | null {
  if (value === null) return true;
  return (
    isObject(value) && (value["kind"] === "snapshot" || value["kind"] === "volume") && isString(value["id"])
  );
}

const isConnector = (value: unknown): value is Connector => isStringMap(value);

function isAttachment(value: unknown): value is Attachment {
  return (
    isObject(value) &&
    isString(value["id"]) &&
    isConnector(value["connector"]) &&
    (value["mode"] === "rw" || value["mode"] === "ro") &&
    (value["phase"] === "unacknowledged" || value["phase"] === "acknowledged") &&
    isString(value["attachedAt"]) &&
    (value["run"] === undefined || isString(value["run"]))
  );
}

const isAttachments = (value: unknown): value is readonly Attachment[] =>
  Array.isArray(value) && value.every(isAttachment);
