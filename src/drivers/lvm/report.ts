/** A volume group as one `lvm fullreport` shows it. Sizes are in bytes. */
export interface VolumeGroup {
  readonly name: string;
  /** The identity of a backend. */
  readonly uuid: string;
  readonly attributes: string;
  readonly extentBytes: number;
  readonly sizeBytes: number;
  readonly freeBytes: number;
  readonly metadataBytes: number;
  /** What LVM's own metadata can still grow by. */
  readonly metadataFreeBytes: number;
  /** Of `lvmlockd`; empty for a volume group that one host uses. */
  readonly lockType: string;
  readonly missingPhysicalVolumes: readonly string[];
  readonly logicalVolumes: Map<string, LogicalVolume>;
}

export interface LogicalVolume {
  readonly name: string;
  readonly uuid: string;
  /** Ten letters; see lvs(8). */
  readonly attributes: string;
  readonly sizeBytes: number;
  readonly tags: readonly string[];
  /** The thin pool; empty for others. */
  readonly pool: string;
  /** What it is a snapshot of. Names nothing any more where a thin volume's origin was removed. */
  readonly origin: string;
  /** What it is made of: `linear`, `thin,sparse`, `raid,raid1`; see lvs(8), `lv_layout`. */
  readonly layout: string;
  /** When it was made, in seconds since 1970; empty where LVM does not know. */
  readonly time: string;
  /** Used part of a thin pool, a thin volume or a copy-on-write snapshot; null where it is not known. */
  readonly dataPercent: number | null;
  /** Used part of a thin pool's metadata. */
  readonly metadataPercent: number | null;
}

const groupColumns = [
  "vg_name",
  "vg_uuid",
  "vg_attr",
  "vg_extent_size",
  "vg_size",
  "vg_free",
  "vg_mda_size",
  "vg_mda_free",
  "vg_lock_type",
];

const volumeColumns = [
  "lv_name",
  "lv_uuid",
  "lv_attr",
  "lv_size",
  "lv_tags",
  "pool_lv",
  "origin",
  "lv_layout",
  "lv_time",
  "data_percent",
  "metadata_percent",
];

/**
 * Everything about a volume group in one command. The parts that a full report has besides are narrowed to nothing, or
 * to what is wrong; a list separator or a form of times of the host's own configuration would make them unreadable.
 */
export function reportArguments(volumeGroup: string): readonly string[] {
  return [
    ...[
      "env",
      "LVM_SUPPRESS_FD_WARNINGS=1",
      "lvm",
      "fullreport",
      "--reportformat",
      "json",
      "--units",
      "b",
      "--nosuffix",
    ],
    ...["--config", 'report{list_item_separator="," time_format="%s"}'],
    ...["--configreport", "vg", "-o", groupColumns.join(",")],
    ...["--configreport", "lv", "-o", volumeColumns.join(",")],
    ...["--configreport", "pv", "-o", "pv_name,pv_uuid", "-S", "pv_missing=1"],
    ...["--configreport", "pvseg", "-S", "pvseg_size=0"],
    ...["--configreport", "seg", "-S", "seg_size=0"],
    volumeGroup,
  ];
}

/** Throws an `Error` that says what is wrong with the report. */
export function parseReport(stdout: Buffer): VolumeGroup {
  const report = asRows(parseJson(stdout), "report");
  const [row] = report.flatMap((part) => (Array.isArray(part["vg"]) ? asRows(part, "vg") : []));
  if (row === undefined) throw new Error("LVM's report has no volume group in it");
  const rowsOf = (name: string) =>
    report.flatMap((part) => (Array.isArray(part[name]) ? asRows(part, name) : []));
  return {
    name: text(row, "vg_name"),
    uuid: text(row, "vg_uuid"),
    attributes: text(row, "vg_attr"),
    extentBytes: number(row, "vg_extent_size"),
    sizeBytes: number(row, "vg_size"),
    freeBytes: number(row, "vg_free"),
    metadataBytes: number(row, "vg_mda_size"),
    metadataFreeBytes: number(row, "vg_mda_free"),
    lockType: text(row, "vg_lock_type"),
    missingPhysicalVolumes: rowsOf("pv").map((pv) => `${text(pv, "pv_name")} (${text(pv, "pv_uuid")})`),
    logicalVolumes: new Map(rowsOf("lv").map((lv) => [text(lv, "lv_name"), logicalVolumeOf(lv)])),
  };
}

function logicalVolumeOf(row: Row): LogicalVolume {
  return {
    name: text(row, "lv_name"),
    uuid: text(row, "lv_uuid"),
    attributes: text(row, "lv_attr"),
    sizeBytes: number(row, "lv_size"),
    tags: text(row, "lv_tags")
      .split(",")
      .filter((tag) => tag !== ""),
    pool: text(row, "pool_lv"),
    origin: text(row, "origin"),
    layout: text(row, "lv_layout"),
    time: text(row, "lv_time"),
    dataPercent: percent(row, "data_percent"),
    metadataPercent: percent(row, "metadata_percent"),
  };
}

const attribute = (volume: LogicalVolume, position: number): string => volume.attributes[position] ?? "-";

export const isThinPool = (volume: LogicalVolume): boolean => attribute(volume, 0) === "t";
/** By the kind of mapping: a thin volume with somebody's copy-on-write snapshot has the type `o`, not `V`. */
export const isThinVolume = (volume: LogicalVolume): boolean =>
  attribute(volume, 6) === "t" && !isThinPool(volume);
/** A copy-on-write snapshot, whole or not; thin snapshots are thin volumes. */
export const isCowSnapshot = (volume: LogicalVolume): boolean => "sS".includes(attribute(volume, 0));
export const isActive = (volume: LogicalVolume): boolean => attribute(volume, 4) !== "-";
export const isReadOnly = (volume: LogicalVolume): boolean => attribute(volume, 1) !== "w";
export const isSuspended = (volume: LogicalVolume): boolean => attribute(volume, 4) === "s";
/** A copy-on-write snapshot that its origin is being put back to; it ends with that. */
export const isMerging = (volume: LogicalVolume): boolean => attribute(volume, 0) === "S";
/** Something has its device open: a mount, a target, a job. */
export const isOpen = (volume: LogicalVolume): boolean => attribute(volume, 5) === "o";
/** New blocks of a thin pool read as zeros. */
export const zeroesBlocks = (pool: LogicalVolume): boolean => attribute(pool, 7) === "z";

/** A thin pool that takes no more writes for want of space; extending it is what helps. */
export const isExhausted = (pool: LogicalVolume): boolean => "DM".includes(attribute(pool, 8));

/** Why a copy-on-write snapshot or a thin pool is of no use; `undefined` where nothing is known against it. */
export function defectOf(volume: LogicalVolume): string | undefined {
  if (isCowSnapshot(volume) && "IS".includes(attribute(volume, 4))) {
    return "its copy-on-write space ran out, so its content is lost";
  }
  switch (attribute(volume, 8)) {
    case "p":
      return "one of its physical volumes is missing";
    case "F":
      return "its thin pool has failed";
    case "D":
      return "its thin pool has run out of data space";
    case "M":
      return "its thin pool's metadata is read-only";
    default:
      return attribute(volume, 4) === "c" || attribute(volume, 4) === "C"
        ? "its thin pool needs a check"
        : undefined;
  }
}

type Row = Readonly<Record<string, unknown>>;

function parseJson(stdout: Buffer): Row {
  let value: unknown;
  try {
    value = JSON.parse(stdout.toString("utf8"));
  } catch {
    throw new Error("LVM's report is not JSON");
  }
  return asRow(value);
}

function asRow(value: unknown): Row {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Row;
  throw new Error("LVM's report is not of the expected form");
}

function asRows(row: Row, name: string): readonly Row[] {
  const value = row[name];
  if (!Array.isArray(value)) throw new Error(`LVM's report has no part "${name}"`);
  return value.map(asRow);
}

/** LVM can leave out columns that are empty throughout. */
function text(row: Row, name: string): string {
  const value = row[name] ?? "";
  if (typeof value !== "string") throw new Error(`LVM's report has a column ${name} that is not a text`);
  return value;
}

function number(row: Row, name: string): number {
  const value = text(row, name);
  if (!/^\d+$/.test(value)) throw new Error(`LVM's report gives ${JSON.stringify(value)} for ${name}`);
  return Number(value);
}

function percent(row: Row, name: string): number | null {
  const value = text(row, name);
  return /^\d+(\.\d+)?$/.test(value) ? Number(value) : null;
}
