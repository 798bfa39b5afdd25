import {
  type AccessMode,
  type Attachment,
  type Connector,
  type JsonValue,
  type ObjectRecord,
  type Phase,
  type SnapshotRecord,
  StorageError,
  type VolumeRecord,
  type VolumeSource,
} from "../../contract/index.ts";
import { type Field, pack, packList, unpack, unpackList } from "./packing.ts";

/**
 * What the tags of a logical volume say of the object that it holds: all of the record but what LVM itself knows.
 *
 *     bb.p=a            phase, one letter
 *     bb.n=db           name
 *     bb.o=acme/prod    owner; absent when empty
 *     bb.0=…  bb.1=…    everything else, packed, in pieces
 *     bb.e=1            made by others and adopted (existing); absent otherwise
 *     bb.x=extension    in place of the above: what the object of that id needs for a while
 *
 * The metadata area of a volume group is small (about 500 KiB for all its logical volumes), which is why this is terse.
 */
export type Metadata = (VolumeMetadata | SnapshotMetadata) & {
  /** Fields of a later version; kept as they are. */
  readonly unknown: readonly Field[];
};

type CommonMetadata = Omit<ObjectRecord, "sizeBytes"> & {
  /** What the object is to have; kept only while it is being made, and does not have it yet. */
  readonly intendedBytes: number | null;
};

type VolumeMetadata = { readonly kind: "volume" } & CommonMetadata &
  Pick<
    VolumeRecord,
    "multiattach" | "source" | "formatted" | "attachments" | "restoring" | "restoringMark"
  > & {
    /** Made by others; its id is made of LVM's own for it. */
    readonly adopted?: true;
    /** Somebody else writes its content, or has begun to; only while it is being made. */
    readonly isFilled: boolean;
    /** The snapshot that it is being put back to, where that is used up on the way and made again. */
    readonly usedSnapshot?: UsedSnapshot | undefined;
  };

/** A snapshot's logical volume before it was used up. */
export interface UsedSnapshot {
  /** LVM's own. */
  readonly uuid: string;
  readonly tags: readonly string[];
}

type SnapshotMetadata = { readonly kind: "snapshot" } & CommonMetadata & Pick<SnapshotRecord, "volumeId">;

export type ObjectKind = Metadata["kind"];

const phaseLetters = {
  creating: "c",
  unacknowledged: "u",
  acknowledged: "a",
  retained: "r",
  deleting: "d",
} as const satisfies Record<Phase, string>;

const fieldNumbers = {
  id: 1,
  createdAt: 2,
  flags: 3,
  source: 4,
  volumeId: 5,
  name: 6,
  owner: 7,
  labels: 8,
  defaultLabels: 9,
  settings: 10,
  attachment: 11,
  intendedBytes: 12,
  restoring: 13,
  restoringMark: 14,
} as const;

const flagBits = { deletionProtection: 1, multiattach: 2, formatted: 4, isFilled: 8 } as const;
const sourceKinds = ["snapshot", "volume"] as const;

/** LVM takes 1,024 characters a tag. */
const longestPiece = 1000;
/** Of a name or an owner that stands for itself; longer ones are packed. */
const longestPlain = 255;
/** As many characters as all tags of one object may take: with more, a few objects would fill a volume group. */
const longestTags = 32 * 1024;

/** On what others made. Stands for itself, so that such a logical volume is known even when its other tags are damaged. */
export const adoptedTag = "bb.e=1";

export function phaseTag(phase: Phase): string {
  return `bb.p=${phaseLetters[phase]}`;
}

/** The tags of what an object needs for a while. */
export function helperTags(role: "extension" | "source", owner: string): readonly string[] {
  return [`bb.x=${role}`, ...(isPlain(owner) && owner !== "" ? [`bb.o=${owner}`] : [])];
}

/** Throws `InvalidInput` for more than a volume group should hold. */
export function tagsOf(metadata: Metadata, action: string): readonly string[] {
  const tags = formatTags(metadata);
  const length = tags.reduce((sum, tag) => sum + tag.length, 0);
  if (length <= longestTags) return tags;
  throw new StorageError({
    kind: "InvalidInput",
    action,
    reason: `its metadata would take ${length} characters of LVM tags, and ${longestTags} is the most`,
    nextStep: "Use fewer or shorter labels.",
    attribute: ["labels"],
  });
}

export function formatTags(metadata: Metadata): readonly string[] {
  const packed = pack(fieldsOf(metadata));
  const pieces = packed.match(new RegExp(`.{1,${longestPiece}}`, "g")) ?? [];
  return [
    phaseTag(metadata.phase),
    ...(isPlain(metadata.name) ? [`bb.n=${metadata.name}`] : []),
    ...(isPlain(metadata.owner) && metadata.owner !== "" ? [`bb.o=${metadata.owner}`] : []),
    ...(metadata.kind === "volume" && metadata.adopted === true ? [adoptedTag] : []),
    ...pieces.map((piece, index) => `bb.${index}=${piece}`),
  ];
}

export function isOurs(tag: string): boolean {
  return /^bb\.(?:[pnoxe]|\d+)=/.test(tag);
}

/** Whether these are the tags of what an object needs for a while. */
export function isHelper(tags: readonly string[]): boolean {
  return tags.some((tag) => tag.startsWith("bb.x="));
}

/** The owner where a tag of its own names it; `null` where none does. */
export function ownerTagOf(tags: readonly string[]): string | null {
  return tags.find((tag) => tag.startsWith("bb.o="))?.slice("bb.o=".length) ?? null;
}

/** Strict: throws an `Error` that says what is wrong with the tags. */
export function parseTags(tags: readonly string[]): Metadata {
  const texts = new Map<string, string>();
  for (const tag of tags.filter(isOurs)) {
    const [key = "", value = ""] = splitOnce(tag.slice("bb.".length), "=");
    if (texts.has(key)) throw new Error(`has two tags bb.${key}`);
    texts.set(key, value);
  }
  const phase = (Object.keys(phaseLetters) as Phase[]).find((name) => phaseLetters[name] === texts.get("p"));
  if (phase === undefined) throw new Error("has no tag bb.p with a phase");
  const metadata = metadataOf(unpack(joinPieces(texts)), phase, texts.get("n"), texts.get("o"));
  return metadata.kind === "volume" && tags.includes(adoptedTag) ? { ...metadata, adopted: true } : metadata;
}

function joinPieces(texts: ReadonlyMap<string, string>): string {
  const count = [...texts.keys()].filter((key) => /^\d+$/.test(key)).length;
  let packed = "";
  for (let index = 0; index < count; index += 1) {
    const piece = texts.get(String(index));
    if (piece === undefined) throw new Error(`lacks the tag bb.${index}`);
    packed += piece;
  }
  if (packed === "") throw new Error("lacks the tag bb.0");
  return packed;
}

function fieldsOf(metadata: Metadata): readonly Field[] {
  const fields: Field[] = [];
  const put = (name: keyof typeof fieldNumbers, value: Buffer): void => {
    fields.push({ number: fieldNumbers[name], value });
  };
  put("id", packUuid(metadata.id));
  put("createdAt", packTime(metadata.createdAt));
  const flags = flagsOf(metadata);
  if (flags !== 0) put("flags", Buffer.of(flags));
  if (metadata.kind === "snapshot") put("volumeId", packUuid(metadata.volumeId));
  if (!isPlain(metadata.name)) put("name", Buffer.from(metadata.name));
  if (!isPlain(metadata.owner)) put("owner", Buffer.from(metadata.owner));
  if (hasKeys(metadata.labels)) put("labels", packMap(metadata.labels));
  if (hasKeys(metadata.defaultLabels)) put("defaultLabels", packMap(metadata.defaultLabels));
  if (hasKeys(metadata.settings)) put("settings", Buffer.from(JSON.stringify(metadata.settings)));
  if (metadata.intendedBytes !== null) put("intendedBytes", Buffer.from(String(metadata.intendedBytes)));
  if (metadata.kind === "volume") {
    if (metadata.source !== null) {
      const kind = Buffer.of(sourceKinds.indexOf(metadata.source.kind));
      put("source", Buffer.concat([kind, packUuid(metadata.source.id)]));
    }
    for (const attachment of metadata.attachments) put("attachment", packAttachment(attachment));
    if (metadata.restoring !== undefined) {
      const used = metadata.usedSnapshot;
      const parts = used === undefined ? [] : [used.uuid, ...used.tags];
      put("restoring", packList([packUuid(metadata.restoring), ...parts]));
      if (metadata.restoringMark !== undefined) put("restoringMark", packUuid(metadata.restoringMark));
    }
  }
  return [...fields, ...metadata.unknown];
}

function metadataOf(
  fields: readonly Field[],
  phase: Phase,
  plainName: string | undefined,
  plainOwner: string | undefined,
): Metadata {
  const known = new Set<number>(Object.values(fieldNumbers));
  const all = (name: keyof typeof fieldNumbers) =>
    fields.filter(({ number }) => number === fieldNumbers[name]).map(({ value }) => value);
  const one = (name: keyof typeof fieldNumbers) => {
    const [value, second] = all(name);
    if (second !== undefined) throw new Error(`has the field "${name}" twice`);
    return value;
  };
  const required = (name: keyof typeof fieldNumbers) => {
    const value = one(name);
    if (value === undefined) throw new Error(`lacks the field "${name}"`);
    return value;
  };
  const mapOf = (name: keyof typeof fieldNumbers) => {
    const value = one(name);
    return value === undefined ? {} : unpackMap(value);
  };
  const flags = one("flags")?.[0] ?? 0;
  const volumeId = one("volumeId");
  const intended = one("intendedBytes");
  const common = {
    id: unpackUuid(required("id")),
    name: plainName ?? required("name").toString("utf8"),
    owner: plainOwner ?? one("owner")?.toString("utf8") ?? "",
    phase,
    labels: mapOf("labels"),
    defaultLabels: mapOf("defaultLabels"),
    deletionProtection: (flags & flagBits.deletionProtection) !== 0,
    settings: unpackSettings(one("settings")),
    createdAt: unpackTime(required("createdAt")),
    intendedBytes: intended === undefined ? null : Number(intended.toString("latin1")),
    unknown: fields.filter(({ number }) => !known.has(number)),
  };
  if (volumeId !== undefined) return { kind: "snapshot", ...common, volumeId: unpackUuid(volumeId) };
  return {
    kind: "volume",
    ...common,
    multiattach: (flags & flagBits.multiattach) !== 0,
    formatted: (flags & flagBits.formatted) !== 0,
    isFilled: (flags & flagBits.isFilled) !== 0,
    source: unpackSource(one("source")),
    attachments: all("attachment").map(unpackAttachment),
    ...unpackRestoring(one("restoring"), one("restoringMark")),
  };
}

function flagsOf(metadata: Metadata): number {
  const volume = metadata.kind === "volume" ? metadata : undefined;
  return (
    (metadata.deletionProtection ? flagBits.deletionProtection : 0) |
    (volume?.multiattach === true ? flagBits.multiattach : 0) |
    (volume?.formatted === true ? flagBits.formatted : 0) |
    (volume?.isFilled === true ? flagBits.isFilled : 0)
  );
}

/** Whether LVM takes it in a tag as it is. */
function isPlain(text: string): boolean {
  return text.length <= longestPlain && /^[A-Za-z0-9_+.\-/=!:#&]*$/.test(text);
}

const hasKeys = (map: object): boolean => Object.keys(map).length > 0;

function packUuid(id: string): Buffer {
  return Buffer.from(id.replaceAll("-", ""), "hex");
}

function unpackUuid(bytes: Buffer): string {
  if (bytes.length !== 16) throw new Error("has an id that is not a UUID");
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const timeBytes = 6;

/** Milliseconds in six bytes; whatever is not written as JavaScript writes times, as it is. */
function packTime(time: string): Buffer {
  const milliseconds = Date.parse(time);
  const packed = Buffer.alloc(timeBytes);
  if (milliseconds >= 0 && milliseconds < 2 ** 48 && new Date(milliseconds).toISOString() === time) {
    packed.writeUIntBE(milliseconds, 0, timeBytes);
    return packed;
  }
  return Buffer.from(time);
}

function unpackTime(bytes: Buffer): string {
  if (bytes.length !== timeBytes) return bytes.toString("utf8");
  return new Date(bytes.readUIntBE(0, timeBytes)).toISOString();
}

function packMap(map: Readonly<Record<string, string>>): Buffer {
  return packList(Object.entries(map).flat());
}

function unpackMap(bytes: Buffer): Record<string, string> {
  const texts = unpackList(bytes).map((value) => value.toString("utf8"));
  if (texts.length % 2 !== 0) throw new Error("has a key without a value");
  return Object.fromEntries(
    texts.flatMap((key, index) => (index % 2 === 0 ? [[key, texts[index + 1] ?? ""]] : [])),
  );
}

function unpackSettings(bytes: Buffer | undefined): Readonly<Record<string, JsonValue>> {
  if (bytes === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw new Error("has settings that are not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error("has settings that are not an object");
  }
  // What JSON.parse made is JSON already.
  return value as Record<string, JsonValue>;
}

function unpackSource(bytes: Buffer | undefined): VolumeSource | null {
  if (bytes === undefined) return null;
  const kind = sourceKinds[bytes[0] ?? sourceKinds.length];
  if (kind === undefined) throw new Error("has a source of an unknown kind");
  return { kind, id: unpackUuid(bytes.subarray(1)) };
}

function unpackRestoring(
  bytes: Buffer | undefined,
  mark: Buffer | undefined,
): Pick<VolumeMetadata, "restoring" | "restoringMark" | "usedSnapshot"> {
  if (bytes === undefined) return {};
  const [id, ...parts] = unpackList(bytes);
  if (id === undefined) throw new Error("is being put back to a snapshot that it does not name");
  const marked = {
    restoring: unpackUuid(id),
    ...(mark === undefined ? {} : { restoringMark: unpackUuid(mark) }),
  };
  const [uuid, ...tags] = parts.map((part) => part.toString("latin1"));
  return uuid === undefined ? marked : { ...marked, usedSnapshot: { uuid, tags } };
}

const attachmentBits = { readOnly: 1, acknowledged: 2 } as const;
const connectorKeys = ["host", "initiator", "nqn", "ip"] as const;

/** Bits, id, time, the connector's parts, of which an absent one is empty, and the run where there is one. */
function packAttachment({ id, connector, mode, phase, attachedAt, run }: Attachment): Buffer {
  const bits =
    (mode === "ro" ? attachmentBits.readOnly : 0) |
    (phase === "acknowledged" ? attachmentBits.acknowledged : 0);
  const parts = connectorKeys.map((key) => connector[key] ?? "");
  const made = run === undefined ? [] : [Buffer.from(run, "hex")];
  return packList([Buffer.of(bits), packUuid(id), packTime(attachedAt), ...parts, ...made]);
}

function unpackAttachment(bytes: Buffer): Attachment {
  const [bits, id, time, ...parts] = unpackList(bytes);
  if (bits?.[0] === undefined || id === undefined || time === undefined) {
    throw new Error("has an attachment that is cut off");
  }
  const mode: AccessMode = (bits[0] & attachmentBits.readOnly) === 0 ? "rw" : "ro";
  const connector = Object.fromEntries(
    connectorKeys.flatMap((key, index) => {
      const part = parts[index]?.toString("utf8") ?? "";
      return part === "" ? [] : [[key, part]];
    }),
  ) as Connector;
  const run = parts[connectorKeys.length]?.toString("hex");
  return {
    id: unpackUuid(id),
    connector,
    mode,
    phase: (bits[0] & attachmentBits.acknowledged) === 0 ? "unacknowledged" : "acknowledged",
    attachedAt: unpackTime(time),
    ...(run === undefined ? {} : { run }),
  };
}

function splitOnce(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return [text.slice(0, at), text.slice(at + separator.length)];
}
