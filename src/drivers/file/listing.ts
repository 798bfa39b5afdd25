import {
  bytesPerGib,
  type DamagedObject,
  type Inventory,
  type ObjectRecord,
  type SnapshotRecord,
  type VolumeRecord,
} from "../../contract/index.ts";
import {
  creatingDirectory,
  type FileFormat,
  type ObjectKind,
  type ObjectName,
  parseFileName,
} from "./layout.ts";
import { parseQcow2Header, type Qcow2Header, qcow2HeaderBytes } from "./qcow2.ts";
import { ownerIn, parseSidecar, type Sidecar } from "./sidecar.ts";

/** The one pool of a directory. */
export const poolName = "default";

/** A metadata file that was read. */
export interface StoredSidecar {
  readonly sidecar: Sidecar;
  /** Its first line as it stands, to prove later that it still stands. */
  readonly line: string;
}

/** Everything in a directory, and what the driver must know besides to change it. */
export interface Listing extends Inventory {
  readonly volumes: Map<string, VolumeRecord>;
  readonly snapshots: Map<string, SnapshotRecord>;
  /** Of every volume and snapshot. */
  readonly sidecars: Map<ObjectName, StoredSidecar>;
  /** Owners of metadata whose data is gone: not in the inventory, to be swept by a change of the same owner. */
  readonly stale: Map<ObjectName, string>;
  /** Paths below the directory that no reservation stands for; rubbish to whoever holds the lock. */
  readonly halfMade: Set<string>;
  /** Adopted objects whose file stands under the name that it was adopted from as well. */
  readonly firstNames: Set<ObjectName>;
  /** Objects whose qcow2 file takes content from other files. */
  readonly notFlat: ReadonlySet<ObjectName>;
}

export interface DataFile {
  readonly object: ObjectName;
  readonly kind: ObjectKind;
  readonly id: string;
  readonly format: FileFormat;
  readonly regular: boolean;
  /** Tells the file from every other one of the file system. */
  readonly inode: string;
  /** As the file system sees it; of a qcow2 file not what its user sees. */
  readonly fileBytes: number;
  readonly allocatedBytes: number;
}

const namesLine = /^([12]) (\S) (\d+) (\d+) (\d+) (\.\/|\.breezeblock\/creating\/)([^/]+)$/;
const contentLine = /^\.\/([^:]+):(.*)$/s;
/** A second name of a file; line breaks in it stand as NUL. */
const linkLine = /^link (\d+) \.\/([^/]+)$/;
const markerLine = /^\.breezeblock\/identity:(.*)$/s;

/** What `listScript` and `statsScript` print, taken apart. */
class Output {
  readonly dataFiles = new Map<string, DataFile>();
  readonly firstPass = new Set<string>();
  readonly secondPass = new Set<string>();
  /** Bytes that each takes on the disk, by name. */
  readonly halfMade = new Map<string, number>();
  /** Names of files that have several, as `linkKey` has them. */
  readonly links = new Set<string>();
  readonly contents = new Map<string, string[]>();
  readonly headers: ReadonlyMap<string, Buffer>;
  readonly #markerLines: string[] = [];
  #hasMarker = false;
  space: string | undefined;

  constructor(stdout: Buffer) {
    // Latin-1 keeps each byte a character of its own.
    const text = stdout.toString("latin1");
    const boundary = text.startsWith("headers\n") ? 0 : text.indexOf("\nheaders\n") + 1;
    if (boundary === 0 && !text.startsWith("headers\n")) throw new Error("the listing ended early");
    for (const line of text.slice(0, boundary).split("\n")) this.#readLine(line);
    this.headers = splitHeaders(text.slice(boundary + "headers\n".length));
  }

  #readLine(line: string): void {
    const [, pass, type, inode, bytes, blocks, place, name] = namesLine.exec(line) ?? [];
    if (name !== undefined) {
      const file = parseFileName(name);
      if (file === undefined) return;
      if (place !== "./") {
        if (pass === "2") this.halfMade.set(name, Number(blocks) * 512);
        return;
      }
      (pass === "1" ? this.firstPass : this.secondPass).add(name);
      if (file.ending === "json" || pass === "1") return;
      this.dataFiles.set(name, {
        object: file.object,
        kind: file.kind,
        id: file.id,
        format: file.ending,
        regular: type === "f",
        inode: inode ?? "",
        fileBytes: Number(bytes),
        allocatedBytes: Number(blocks) * 512,
      });
      return;
    }
    const [, linked, linkName] = linkLine.exec(line) ?? [];
    if (linked !== undefined && linkName !== undefined) {
      this.links.add(linkKey(linked, Buffer.from(linkName, "latin1").toString("utf8")));
      return;
    }
    const [, contentName, content] = contentLine.exec(line) ?? [];
    if (contentName !== undefined && content !== undefined) {
      const lines = this.contents.get(contentName) ?? [];
      this.contents.set(contentName, lines);
      lines.push(content);
      return;
    }
    const [, marker] = markerLine.exec(line) ?? [];
    if (marker !== undefined) this.#markerLines.push(marker);
    else if (line === "marker") this.#hasMarker = true;
    else if (line.startsWith("space ")) this.space = line;
  }

  /** The marker's content, `null` where there is none. */
  get marker(): string | null {
    return this.#hasMarker ? this.#markerLines.join("\n") : null;
  }
}

function linkKey(inode: string, name: string): string {
  return `${inode} ${name}`;
}

/** `head -v` output: `==> ./name <==`, a newline, the bytes; a newline before the next one, but not between batches. */
function splitHeaders(text: string): Map<string, Buffer> {
  const headers = new Map<string, Buffer>();
  const titles = [...text.matchAll(/==> \.\/([a-z]+-[0-9a-f-]{36}\.qcow2) <==\n/g)];
  for (const [index, title] of titles.entries()) {
    const start = title.index + title[0].length;
    const end = Math.min(start + qcow2HeaderBytes, titles[index + 1]?.index ?? text.length);
    headers.set(title[1] ?? "", Buffer.from(text.slice(start, end), "latin1"));
  }
  return headers;
}

/** Throws an `Error` saying what is wrong with the marker. */
export function parseMarker(text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error("is not valid JSON");
  }
  if (typeof value !== "object" || value === null || !("identity" in value) || !("breezeblock" in value)) {
    throw new Error("lacks its fields");
  }
  if (value.breezeblock !== 1) throw new Error(`has format version ${value.breezeblock}, which is not known`);
  if (typeof value.identity !== "string" || value.identity === "") throw new Error("has no identity");
  return value.identity;
}

interface Examined {
  readonly file: DataFile;
  readonly sizeBytes: number;
  readonly flat: boolean;
}

/** Throws an `Error` saying what is wrong with the data; `undefined` when it went away while being listed. */
function examine(output: Output, stderr: string, name: string, file: DataFile): Examined | undefined {
  if (!file.regular) throw new Error("is not a regular file");
  if (file.format === "raw") return { file, sizeBytes: file.fileBytes, flat: true };
  const header = output.headers.get(name);
  if (header === undefined) {
    const words = wordsAbout(name, "head", stderr);
    if (words?.includes("No such file")) return undefined;
    throw new Error(words === undefined ? "cannot be read" : `cannot be read: ${words}`);
  }
  const { virtualSizeBytes, flat }: Qcow2Header = parseQcow2Header(header);
  return { file, sizeBytes: virtualSizeBytes, flat };
}

function wordsAbout(name: string, tool: string, stderr: string): string | undefined {
  return stderr.split("\n").find((line) => line.startsWith(`${tool}: `) && line.includes(name));
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Makes an inventory of what `listScript` printed. Throws an `Error` for a marker that cannot be understood: that is
 * neither "no identity" nor any identity.
 */
export function parseListing(stdout: Buffer, stderrBytes: Buffer, directory: string): Listing {
  const output = new Output(stdout);
  const stderr = stderrBytes.toString("utf8");
  const volumes = new Map<string, VolumeRecord>();
  const snapshots = new Map<string, SnapshotRecord>();
  const damaged = new Map<string, DamagedObject>();
  const sidecars = new Map<ObjectName, StoredSidecar>();
  const stale = new Map<ObjectName, string>();
  const notFlat = new Set<ObjectName>();
  const firstNames = new Set<ObjectName>();
  const reserved = new Set<ObjectName>();

  const dataOf = new Map<ObjectName, string[]>();
  for (const [name, file] of output.dataFiles) {
    dataOf.set(file.object, [...(dataOf.get(file.object) ?? []), name]);
  }
  const identity = readIdentity(output, stderr, directory);
  const names = new Set([...output.firstPass, ...output.secondPass]);
  const objects = new Map<ObjectName, { kind: ObjectKind; id: string }>();
  for (const name of names) {
    const file = parseFileName(name);
    if (file !== undefined) objects.set(file.object, file);
  }

  for (const [object, { kind, id }] of objects) {
    const damage = (file: string, reason: string, owner: string | null = null) =>
      damaged.set(id, {
        id,
        kind,
        owner,
        reason: `${file.endsWith(".json") ? "metadata" : "data"} file ${directory}/${file} ${reason}`,
      });
    const sidecarName = `${object}.json`;
    const lines = output.contents.get(sidecarName);
    const dataNames = dataOf.get(object) ?? [];

    const stood = (name: string) => output.firstPass.has(name) && output.secondPass.has(name);
    if (lines === undefined && !names.has(sidecarName)) {
      // Data that was there the whole time, and never any metadata. Anything else was just coming or going.
      const orphan = dataNames.find(stood);
      if (orphan !== undefined) damage(orphan, "has no metadata file");
      continue;
    }
    let sidecar: Sidecar;
    try {
      if (lines === undefined) {
        if (!stood(sidecarName)) continue;
        throw new Error(unreadable(sidecarName, stderr));
      }
      sidecar = parseSidecar(Buffer.from(lines.join("\n"), "latin1"), kind, id);
    } catch (error) {
      damage(sidecarName, messageOf(error), lines === undefined ? null : ownerIn(lines));
      reserved.add(object);
      continue;
    }
    const { fields } = sidecar;
    const dataName = `${object}.${fields.format}`;
    const other = dataNames.find((name) => name !== dataName && stood(name));
    if (other !== undefined) {
      damage(
        other,
        `should not be there: the metadata says that the format is ${fields.format}`,
        fields.owner,
      );
      reserved.add(object);
      continue;
    }
    let examined: Examined | undefined;
    const file = output.dataFiles.get(dataName);
    try {
      examined = file === undefined ? undefined : examine(output, stderr, dataName, file);
    } catch (error) {
      damage(dataName, messageOf(error), fields.owner);
      reserved.add(object);
      continue;
    }
    if ("restoring" in fields && fields.restoring !== undefined) reserved.add(object);
    if (fields.phase === "creating") reserved.add(object);
    else if (examined === undefined) {
      stale.set(object, fields.owner);
      continue;
    }
    if (examined?.flat === false) notFlat.add(object);
    sidecars.set(object, { sidecar, line: lines[0] ?? "" });
    if (sidecar.kind === "volume" && sidecar.fields.adoptedFrom !== undefined && file !== undefined) {
      if (output.links.has(linkKey(file.inode, sidecar.fields.adoptedFrom))) firstNames.add(object);
    }
    const sizeBytes = examined?.sizeBytes ?? fields.createdSizeBytes;
    if (sidecar.kind === "volume") {
      volumes.set(id, volumeRecord(sidecar, sizeBytes, directory, firstNames.has(object)));
    } else snapshots.set(id, snapshotRecord(sidecar, sizeBytes, directory));
  }

  const rubbish = [...output.halfMade.keys()].filter((name) => {
    const file = parseFileName(name);
    return file === undefined || file.ending === "json" || !reserved.has(file.object);
  });
  const halfMade = new Set(rubbish.map((name) => `${creatingDirectory}/${name}`));
  return { identity, volumes, snapshots, damaged, sidecars, stale, halfMade, firstNames, notFlat };
}

function readIdentity(output: Output, stderr: string, directory: string): string | null {
  const { marker } = output;
  if (marker === null) return null;
  try {
    const words = wordsAbout(".breezeblock/identity", "grep", stderr);
    if (words !== undefined) throw new Error(`cannot be read: ${words}`);
    return parseMarker(marker);
  } catch (error) {
    throw new Error(`the identity marker ${directory}/.breezeblock/identity ${messageOf(error)}`);
  }
}

function unreadable(sidecarName: string, stderr: string): string {
  const words = wordsAbout(sidecarName, "grep", stderr);
  return words === undefined ? "is empty, too large or not a regular file" : `cannot be read: ${words}`;
}

function commonRecord(
  sidecar: Sidecar,
  sizeBytes: number,
  directory: string,
): ObjectRecord & { location: string } {
  const { fields } = sidecar;
  return {
    id: fields.id,
    name: fields.name,
    owner: fields.owner,
    phase: fields.phase,
    sizeBytes,
    labels: fields.labels,
    defaultLabels: fields.defaultLabels,
    deletionProtection: fields.deletionProtection,
    settings: fields.settings,
    createdAt: fields.createdAt,
    location: `${directory}/${sidecar.kind}-${fields.id}.${fields.format}`,
  };
}

export function volumeRecord(
  sidecar: Extract<Sidecar, { kind: "volume" }>,
  sizeBytes: number,
  directory: string,
  hasFirstName: boolean,
): VolumeRecord {
  const { provisioning, multiattach, source, formatted, attachments, adoptedFrom, format } = sidecar.fields;
  const { restoring, restoringMark } = sidecar.fields;
  const common = commonRecord(sidecar, sizeBytes, directory);
  return {
    ...common,
    ...(adoptedFrom === undefined ? {} : { adoptedFrom, format, ownPath: common.location }),
    ...(adoptedFrom !== undefined && hasFirstName ? { location: `${directory}/${adoptedFrom}` } : {}),
    pool: poolName,
    provisioning,
    multiattach,
    source,
    formatted,
    attachments,
    ...(restoring === undefined ? {} : { restoring }),
    ...(restoringMark === undefined ? {} : { restoringMark }),
  };
}

export function snapshotRecord(
  sidecar: Extract<Sidecar, { kind: "snapshot" }>,
  sizeBytes: number,
  directory: string,
): SnapshotRecord {
  return { ...commonRecord(sidecar, sizeBytes, directory), volumeId: sidecar.fields.volumeId };
}

export interface Space {
  readonly totalGib: number;
  readonly freeGib: number;
  readonly provisionedGib: number;
  readonly volumes: number;
}

/** Makes numbers of what `statsScript` printed. */
export function parseSpace(stdout: Buffer): Space {
  const output = new Output(stdout);
  const [, blockBytes, blocks, free, available] = (output.space ?? "").split(" ").map(Number);
  if (blockBytes === undefined || blocks === undefined || free === undefined || available === undefined) {
    throw new Error("the listing ended early");
  }
  let virtual = 0;
  let allocated = 0;
  let volumes = 0;
  for (const [name, file] of output.dataFiles) {
    allocated += file.allocatedBytes;
    if (file.kind === "volume") volumes += 1;
    virtual += virtualSize(file, output.headers.get(name));
  }
  for (const { kind, dataName, sizeBytes } of beingMade(output)) {
    allocated += output.halfMade.get(dataName) ?? 0;
    if (kind === "volume") volumes += 1;
    virtual += sizeBytes;
  }
  // What others keep on the same file system is as good as provisioned: it cannot be promised to anybody.
  const foreign = Math.max(0, (blocks - free) * blockBytes - allocated);
  return {
    totalGib: hundredths(blocks * blockBytes, Math.floor),
    freeGib: hundredths(available * blockBytes, Math.floor),
    provisionedGib: hundredths(virtual + foreign, Math.ceil),
    volumes,
  };
}

interface BeingMade {
  readonly kind: ObjectKind;
  /** What its data file will be called. */
  readonly dataName: string;
  readonly sizeBytes: number;
}

/** What is reserved, and has no data file of its own yet: the room is promised. */
function beingMade(output: Output): readonly BeingMade[] {
  return [...output.contents].flatMap(([name, lines]) => {
    const file = parseFileName(name);
    if (file === undefined) return [];
    try {
      const { fields } = parseSidecar(Buffer.from(lines.join("\n"), "latin1"), file.kind, file.id);
      const dataName = `${file.object}.${fields.format}`;
      if (fields.phase !== "creating" || output.dataFiles.has(dataName)) return [];
      return [{ kind: file.kind, dataName, sizeBytes: fields.createdSizeBytes }];
    } catch {
      // What is damaged is told by the listing.
      return [];
    }
  });
}

/** A file that cannot be understood still takes the room that it takes. */
function virtualSize(file: DataFile, header: Buffer | undefined): number {
  if (file.format === "raw") return file.fileBytes;
  try {
    return parseQcow2Header(header ?? Buffer.alloc(0)).virtualSizeBytes;
  } catch {
    return file.fileBytes;
  }
}

function hundredths(bytes: number, round: (value: number) => number): number {
  return round((bytes / bytesPerGib) * 100) / 100;
}
