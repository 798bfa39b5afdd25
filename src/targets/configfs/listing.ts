/** What a listing script printed: the records, and the kernel's configuration beside them. */
export interface ConfigfsListing {
  /** Lines of the record files, by file name. */
  readonly records: ReadonlyMap<string, readonly string[]>;
  /** Attribute files, by path. */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
  /** By directory: what is in it, each name with the target of the link that it is, or `null` for a directory. */
  readonly entries: ReadonlyMap<string, ReadonlyMap<string, string | null>>;
  /** What the records' devices are now. */
  readonly devices: ReadonlyMap<string, DeviceStatus>;
}

export type DeviceStatus =
  | { readonly kind: "block"; readonly numbers: string }
  | { readonly kind: "file"; readonly sizeBytes: number };

/**
 * Shell functions that print what `parseListing` reads. File names end with a NUL byte, as `grep -Z` prints them: names
 * of targets have colons.
 */
export const listingFunctions = `
# list_records PATTERN: exits where there is none.
list_records() {
  [ -d "$exports" ] && cd -- "$exports" || exit 0
  set -- *."$1"
  [ -e "$1" ] || exit 0
  grep -aHZ '' -- "$@"
}

# Prints files whose names come NUL-terminated on standard input.
list_attributes() { xargs -0 -r grep -aHsZ '' -- /dev/null; }

# list_devices: paths come one a line on standard input.
list_devices() { xargs -r -d '\\n' stat -L -c 'stat %f %t:%T %s %n' -- 2>/dev/null; }

# Prints what is right in directories whose names come NUL-terminated on standard input. Not deeper: a target has dozens
# of directories, and a host may have a thousand targets.
list_entries() {
  xargs -0 -r sh -c \\
    'find "$@" -mindepth 1 -maxdepth 1 \\( -type d -o -type l \\) -printf "%y %p\\0%l\\n" 2>/dev/null' find
}
`;

const entryMark = /^([dl]) (\/.*)\/([^/]+)\0(.*)$/;
const deviceMark = /^stat ([0-9a-f]+) ([0-9a-f]+):([0-9a-f]+) (\d+) (\/.*)$/;
const lineMark = /^([^\0]+)\0(.*)$/;
/** Of a block device, in what `stat` calls the raw mode. */
const blockDevice = 0x6000;
const typeBits = 0xf000;

export function parseListing(stdout: string): ConfigfsListing {
  const records = new Map<string, string[]>();
  const attributes = new Map<string, string[]>();
  const entries = new Map<string, Map<string, string | null>>();
  const devices = new Map<string, DeviceStatus>();
  for (const line of stdout.split("\n")) {
    const entry = entryMark.exec(line);
    if (entry !== null) {
      const [, type = "", parent = "", name = "", target = ""] = entry;
      at(entries, parent, () => new Map()).set(name, type === "l" ? target : null);
      continue;
    }
    const device = deviceMark.exec(line);
    if (device !== null) {
      const [, mode = "", major = "", minor = "", size = "", path = ""] = device;
      const isBlock = (Number.parseInt(mode, 16) & typeBits) === blockDevice;
      devices.set(
        path,
        isBlock
          ? { kind: "block", numbers: `${Number.parseInt(major, 16)}:${Number.parseInt(minor, 16)}` }
          : { kind: "file", sizeBytes: Number(size) },
      );
      continue;
    }
    const [, file, value = ""] = lineMark.exec(line) ?? [];
    if (file !== undefined) at(file.startsWith("/") ? attributes : records, file, () => []).push(value);
  }
  return { records, attributes, entries, devices };
}

function at<V>(map: Map<string, V>, key: string, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

/** An attribute's first line; `undefined` where there is no such file. */
export function attributeOf(listing: ConfigfsListing, path: string): string | undefined {
  return listing.attributes.get(path)?.[0];
}

/** A block device's size in bytes, by its numbers; `null` where there is none. */
export function blockSize(listing: ConfigfsListing, numbers: string): number | null {
  const sectors = attributeOf(listing, `/sys/dev/block/${numbers}/size`);
  return sectors === undefined ? null : Number(sectors) * 512;
}

/** Names in a directory, in no order. */
export function namesIn(listing: ConfigfsListing, directory: string): readonly string[] {
  return [...(listing.entries.get(directory)?.keys() ?? [])];
}

/** Targets of the links in a directory. */
export function linksIn(listing: ConfigfsListing, directory: string): readonly string[] {
  return [...(listing.entries.get(directory)?.values() ?? [])].filter((target) => target !== null);
}

/** A record's lines as pairs: the word that begins each, and the rest. */
export function recordLines(lines: readonly string[]): readonly (readonly [key: string, rest: string])[] {
  return lines.map((line) => {
    const blank = line.indexOf(" ");
    return blank < 0 ? [line, ""] : [line.slice(0, blank), line.slice(blank + 1)];
  });
}
