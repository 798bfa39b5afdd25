import type { ManageableVolume } from "../../contract/index.ts";
import { derivedId } from "../shared/derived-id.ts";
import { namedByTool, timeOf, unknownTime } from "../shared/existing.ts";
import { type FileFormat, isForeignName, parseFileName } from "./layout.ts";
import { parseMarker, poolName } from "./listing.ts";
import { parseQcow2Header, type Qcow2Reference, qcow2References } from "./qcow2.ts";

/** A file that others made, as it can be managed, and what proves later that it is the same one. */
export interface ForeignFile {
  readonly volume: ManageableVolume;
  readonly format: FileFormat;
  readonly inode: string;
  readonly fileBytes: number;
}

interface Stat {
  readonly type: "file" | "link";
  readonly inode: string;
  /** How many names it has. */
  readonly links: number;
  /** In seconds since 1970; 0 or a dash where the file system does not know. */
  readonly birth: string;
  readonly bytes: number;
  readonly allocatedBytes: number;
}

/** What `manageableScript` printed, taken apart. */
class Records {
  marker: string | null = null;
  machine = "";
  device: string | undefined;
  readonly files = new Map<string, Stat>();
  readonly open = new Set<string>();
  readonly heads = new Map<string, Buffer>();
  /** By inode. */
  readonly users = new Map<string, string>();
  /** Inodes of our own unfinished names. */
  readonly half: string[] = [];
  hidesProcesses = false;

  constructor(stdout: Buffer) {
    for (const record of stdout.toString("utf8").split("\0")) this.#read(record);
    if (this.device === undefined) throw new Error("the listing ended early");
  }

  #read(record: string): void {
    const [kind = "", rest = ""] = splitOnce(record);
    switch (kind) {
      case "marker":
        this.marker = rest;
        break;
      case "machine":
        this.machine = rest;
        break;
      case "device":
        this.device = rest;
        break;
      case "file": {
        const [, mode, inode, links, birth, bytes, blocks, name] =
          /^([0-9a-f]+) (\d+) (\d+) (\S+) (\d+) (\d+) \.\/(.*)$/s.exec(rest) ?? [];
        if (mode === undefined || inode === undefined || birth === undefined || name === undefined) break;
        const type = (Number.parseInt(mode, 16) & 0o170000) === 0o120000 ? "link" : "file";
        this.files.set(name, {
          type,
          inode,
          links: Number(links),
          birth,
          bytes: Number(bytes),
          allocatedBytes: Number(blocks) * 512,
        });
        break;
      }
      case "open":
        this.open.add(rest.slice("./".length));
        break;
      case "head": {
        const [bytes, name] = splitOnce(rest);
        this.heads.set(name.slice("./".length), Buffer.from(bytes, "hex"));
        break;
      }
      case "half":
        this.half.push(rest);
        break;
      case "unseen":
        this.hidesProcesses = true;
        break;
      case "lock": {
        const [inode, process] = splitOnce(rest);
        this.users.set(
          inode,
          Number(process) > 0 ? `process ${process}, which has locked it` : "a process that has locked it",
        );
        break;
      }
      case "used": {
        const [, device, inode, user] = /^(\d+) (\d+) (.*)$/s.exec(rest) ?? [];
        if (device !== this.device || inode === undefined || user === undefined) break;
        const [, process] = /^\/proc\/(\d+)\//.exec(user) ?? [];
        this.users.set(inode, process === undefined ? user : `process ${process}`);
        break;
      }
    }
  }
}

function splitOnce(text: string): readonly [string, string] {
  const at = text.indexOf(" ");
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** What stands in a directory, as `manageableScript` printed it. */
export class ForeignListing {
  readonly identity: string | null;
  readonly #records: Records;
  readonly #directory: string;

  /** Throws an `Error` that says what is wrong with what was printed. */
  constructor(stdout: Buffer, directory: string) {
    this.#records = new Records(stdout);
    this.#directory = directory;
    this.identity = identityOf(this.#records, directory);
  }

  /** Whether processes of other users may have files open that cannot be seen from here. */
  get hidesProcesses(): boolean {
    return this.#records.hidesProcesses;
  }

  /** What images in the directory take content from, for whoever knows which files these paths mean. */
  get references(): readonly Reference[] {
    return [...this.#records.heads].flatMap(([image, head]) =>
      qcow2References(head).map((reference) => ({ ...reference, image })),
    );
  }

  /** @param referred `DEVICE INODE` of each of `references`, in order */
  files(referred: readonly string[]): readonly ForeignFile[] {
    const uses = this.#usesBy(referred);
    // Second names of adopted files, and of whatever else is ours.
    const ours = new Set(
      [...this.#records.files].flatMap(([name, { inode }]) =>
        parseFileName(name) === undefined ? [] : [inode],
      ),
    );
    return [...this.#records.files].flatMap(([name, stat]) =>
      isForeignName(name) && !ours.has(stat.inode)
        ? [foreignFile(this.#records, name, stat, this.#directory, uses)]
        : [],
    );
  }

  /** Who uses a file of ours, as words that go on from "it"; undefined where nobody is known to. */
  userOf(name: string, referred: readonly string[]): string | undefined {
    const inode = this.#records.files.get(name)?.inode;
    return inode === undefined ? undefined : useOf(this.#records, inode, this.#usesBy(referred));
  }

  #usesBy(referred: readonly string[]): ReadonlyMap<string, string> {
    const uses = new Map<string, string>();
    for (const [index, { use, image }] of this.references.entries()) {
      const [device, inode] = splitOnce(referred[index] ?? "");
      if (device === this.#records.device) uses.set(inode, `is the ${use} of ${image}`);
    }
    return uses;
  }
}

/** What an image in the directory takes content from. */
export interface Reference extends Qcow2Reference {
  readonly image: string;
}

function useOf(records: Records, inode: string, uses: ReadonlyMap<string, string>): string | undefined {
  const user = records.users.get(inode);
  return uses.get(inode) ?? (user === undefined ? undefined : `is in use by ${user}`);
}

function identityOf({ marker }: Records, directory: string): string | null {
  if (marker === null) return null;
  try {
    return parseMarker(marker);
  } catch (error) {
    throw new Error(
      `the identity marker ${directory}/.breezeblock/identity ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function foreignFile(
  records: Records,
  name: string,
  stat: Stat,
  directory: string,
  uses: ReadonlyMap<string, string>,
): ForeignFile {
  const { inode, links, birth, bytes, allocatedBytes } = stat;
  // A claim that was killed leaves a name of ours, which the next one takes away.
  const otherNames = links - 1 - records.half.filter((half) => half === inode).length;
  const content = contentOf(name, stat, records.heads.get(name));
  const createdAt = timeOf(birth);
  const reason =
    (stat.type === "link" ? "is a symbolic link; name the file that it points to" : undefined) ??
    namedByTool(name) ??
    (otherNames > 0
      ? `has ${otherNames === 1 ? "another name" : `${otherNames} other names`} (hard links)`
      : undefined) ??
    (records.open.has(name)
      ? undefined
      : "cannot be read and written by the user that breezeblock logs in as") ??
    content.reason ??
    useOf(records, inode, uses) ??
    null;
  // Where the file system does not tell when a file was made, a number that is used again could mean another file.
  const place = createdAt === unknownTime ? [directory, name] : [];
  return {
    volume: {
      reference: name,
      id: derivedId("file", records.machine, inode, birth, ...place),
      sizeBytes: content.sizeBytes,
      pool: poolName,
      provisioning: content.format === "raw" && bytes > 0 && allocatedBytes >= bytes ? "thick" : "thin",
      location: `${directory}/${name}`,
      createdAt,
      safe_to_manage: reason === null,
      reason_not_safe: reason,
    },
    format: content.format,
    inode,
    fileBytes: bytes,
  };
}

interface Content {
  readonly format: FileFormat;
  readonly sizeBytes: number;
  readonly reason?: string;
}

/** What other formats begin with, in hexadecimal. As raw images they would show their own metadata. */
const otherFormats: readonly (readonly [string, string])[] = [
  ["4b444d56", "a VMDK image"],
  ["434f5744", "a VMDK image"],
  ["23204469736b2044657363726970746f72", "a VMDK description"],
  ["7668647866696c65", "a VHDX image"],
  ["636f6e6563746978", "a VHD image"],
  ["3c3c3c20", "a VirtualBox image"],
  ["51454400", "a QED image"],
  ["1f8b", "compressed (gzip)"],
  ["fd377a585a00", "compressed (xz)"],
  ["28b52ffd", "compressed (zstd)"],
  ["425a68", "compressed (bzip2)"],
];

const sectorBytes = 512;

/** What a file holds: qcow2 by its own header, never by its name alone; raw where nothing says otherwise. */
function contentOf(name: string, { bytes }: Stat, head: Buffer | undefined): Content {
  const raw = { format: "raw", sizeBytes: bytes } as const;
  if (bytes === 0) return { ...raw, reason: "is empty" };
  if (head === undefined) return { ...raw, reason: "cannot be read" };
  if (head.toString("latin1", 0, 4) === "QFI\xfb") return qcow2Content(name, bytes, head);
  if (name.endsWith(".qcow2"))
    return { ...raw, reason: "is named as a qcow2 image, and has no qcow2 header" };
  const text = head.toString("hex");
  const other = otherFormats.find(([begin]) => text.startsWith(begin));
  if (other !== undefined) return { ...raw, reason: `is ${other[1]}; raw and qcow2 can be managed` };
  if (bytes % sectorBytes !== 0) {
    return { ...raw, reason: `is no disk image: its ${bytes} bytes are not whole sectors of ${sectorBytes}` };
  }
  return raw;
}

function qcow2Content(name: string, bytes: number, head: Buffer): Content {
  const broken = { format: "qcow2", sizeBytes: bytes } as const;
  if (name.endsWith(".raw")) {
    // A guest can write such a header on its raw disk, to be given what the header points to.
    return { ...broken, reason: "is named as a raw image, and begins with a qcow2 header" };
  }
  try {
    const { virtualSizeBytes, flat } = parseQcow2Header(head);
    const qcow2 = { format: "qcow2", sizeBytes: virtualSizeBytes } as const;
    if (!flat) return { ...qcow2, reason: "takes content from another file (backing or external data file)" };
    if (head.readUInt32BE(60) > 0) return { ...qcow2, reason: "holds snapshots of its own" };
    const flags = head.readUInt32BE(4) >= 3 ? head.readBigUInt64BE(72) : 0n;
    if ((flags & 3n) !== 0n)
      return { ...qcow2, reason: "was not closed in order, or is corrupt; see qemu-img check" };
    return qcow2;
  } catch (error) {
    return { ...broken, reason: error instanceof Error ? error.message : String(error) };
  }
}
