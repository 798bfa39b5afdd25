import type { AccessMode, ExportMark, ExportState } from "../../contract/index.ts";
import {
  attributeOf,
  blockSize,
  type ConfigfsListing,
  linksIn,
  namesIn,
  parseListing,
  recordLines,
} from "../configfs/listing.ts";
import { parseMark } from "../configfs/mark.ts";

const lio = "/sys/kernel/config/target";

/** What a record says. */
interface IscsiRecord {
  readonly removing: boolean;
  readonly iqn: string;
  readonly kind: "iblock" | "fileio";
  readonly path: string;
  readonly auth: string;
  readonly mark: ExportMark | null;
  readonly portals: readonly string[];
  readonly access: ReadonlyMap<string, AccessMode>;
}

/** How the backend's settings want its volumes exported. */
export interface WantedExport {
  readonly auth: string;
  /** `ADDRESS:PORT` */
  readonly portals: readonly string[];
}

/** What `listScript` printed, by volume id. */
export function readExports(stdout: string, wanted: WantedExport): ReadonlyMap<string, ExportState> {
  const listing = parseListing(stdout);
  const stores = storesByName(listing);
  const exports = new Map<string, ExportState>();
  for (const [file, lines] of listing.records) {
    const volumeId = file.slice(0, -".iscsi".length);
    exports.set(volumeId, exportState(listing, volumeId, parseRecord(lines), stores, wanted));
  }
  return exports;
}

function parseRecord(lines: readonly string[]): IscsiRecord {
  const pairs = recordLines(lines);
  const value = (key: string) => pairs.find(([word]) => word === key)?.[1] ?? "";
  const kind = value("iblock") === "" ? "fileio" : "iblock";
  return {
    removing: value("removing") !== "",
    iqn: value("iqn"),
    kind,
    path: value(kind),
    auth: value("auth"),
    mark: parseMark(value("mark")),
    portals: pairs.filter(([word]) => word === "portal").map(([, portal]) => portal),
    access: new Map(
      pairs.flatMap(([word, who]): [string, AccessMode][] =>
        word === "rw" || word === "ro" ? [[who, word]] : [],
      ),
    ),
  };
}

function storesByName(listing: ConfigfsListing): ReadonlyMap<string, string> {
  const stores = new Map<string, string>();
  for (const path of listing.attributes.keys()) {
    const [, store, name] = /^(.*\/core\/[^/]+\/([^/]+))\/enable$/.exec(path) ?? [];
    if (store !== undefined && name !== undefined) stores.set(name, store);
  }
  return stores;
}

function exportState(
  listing: ConfigfsListing,
  volumeId: string,
  record: IscsiRecord,
  stores: ReadonlyMap<string, string>,
  wanted: WantedExport,
): ExportState {
  const tpg = `${lio}/iscsi/${record.iqn}/tpgt_1`;
  const store = stores.get(`breezeblock-${volumeId}`);
  const granted = grantedBy(listing, tpg);
  const sizeBytes = store === undefined ? null : storeSize(listing, store, record);
  return {
    volumeId,
    sizeBytes,
    fault:
      storeFault(listing, volumeId, store, record) ??
      targetFault(listing, tpg, record) ??
      portalFault(listing, tpg, record.portals) ??
      accessFault(granted, record.access) ??
      settingsFault(record, wanted),
    granted,
    connected: connectedTo(listing, tpg, [...granted.keys()]),
    mark: record.mark,
  };
}

function connectedTo(
  listing: ConfigfsListing,
  tpg: string,
  initiators: readonly string[],
): ReadonlySet<string> | null {
  const sessions = initiators.map((initiator) => attributeOf(listing, `${tpg}/acls/${initiator}/info`));
  if (sessions.includes(undefined)) return null;
  return new Set(initiators.filter((_, index) => !sessions[index]?.startsWith("No active iSCSI Session")));
}

function grantedBy(listing: ConfigfsListing, tpg: string): ReadonlyMap<string, AccessMode> {
  const granted = new Map<string, AccessMode>();
  for (const initiator of namesIn(listing, `${tpg}/acls`)) {
    const mapped = `${tpg}/acls/${initiator}/lun_0`;
    if (linksIn(listing, mapped).length === 0) continue;
    granted.set(initiator, attributeOf(listing, `${mapped}/write_protect`) === "1" ? "ro" : "rw");
  }
  return granted;
}

function storeSize(listing: ConfigfsListing, store: string, record: IscsiRecord): number | null {
  if (attributeOf(listing, `${store}/enable`) !== "1") return null;
  const info = (listing.attributes.get(`${store}/info`) ?? []).join(" ");
  if (record.kind === "fileio") {
    const size = / Size: (\d+) /.exec(info)?.[1];
    return size === undefined ? null : Number(size);
  }
  const numbers = deviceNumbers(info);
  return numbers === undefined ? null : blockSize(listing, numbers);
}

function deviceNumbers(info: string): string | undefined {
  const [, major, minor] = / Major: (\d+) Minor: (\d+)/.exec(info) ?? [];
  return major === undefined || minor === undefined ? undefined : `${major}:${minor}`;
}

function storeFault(
  listing: ConfigfsListing,
  volumeId: string,
  store: string | undefined,
  record: IscsiRecord,
): string | null {
  if (record.removing) return "its removal was not finished";
  const device = listing.devices.get(record.path);
  if (device === undefined) return `${record.path} is missing`;
  if (store === undefined) return "the backstore is missing";
  if (attributeOf(listing, `${store}/enable`) !== "1") return "the backstore is not enabled";
  if (!attributeOf(listing, `${store}/wwn/vpd_unit_serial`)?.endsWith(`: ${volumeId}`)) {
    return "the backstore has another serial number than the volume's id";
  }
  const info = (listing.attributes.get(`${store}/info`) ?? []).join(" ");
  const isDevice = device.kind !== "block" || deviceNumbers(info) === device.numbers;
  return isDevice ? null : `the backstore has another device than ${record.path}`;
}

function targetFault(listing: ConfigfsListing, tpg: string, record: IscsiRecord): string | null {
  const enabled = attributeOf(listing, `${tpg}/enable`);
  if (enabled === undefined) return `the target ${record.iqn} is missing`;
  if (enabled !== "1") return `the target ${record.iqn} is disabled`;
  if (linksIn(listing, `${tpg}/lun/lun_0`).length === 0) return "LUN 0 is missing";
  if (attributeOf(listing, `${tpg}/attrib/generate_node_acls`) !== "0") return "any initiator has access";
  const wanted = record.auth === "chap" ? "1" : "0";
  if (attributeOf(listing, `${tpg}/attrib/authentication`) === wanted) return null;
  return wanted === "1" ? "CHAP is not required" : "CHAP is required";
}

function portalFault(listing: ConfigfsListing, tpg: string, portals: readonly string[]): string | null {
  const present = namesIn(listing, `${tpg}/np`);
  const missing = portals.find((portal) => {
    const port = portal.slice(portal.lastIndexOf(":"));
    return ![portal, `0.0.0.0${port}`, `[::0]${port}`, `[::]${port}`].some((name) => present.includes(name));
  });
  return missing === undefined ? null : `portal ${missing} is missing`;
}

/** An export stays as it was made until an attachment of it is applied again. */
function settingsFault(record: IscsiRecord, wanted: WantedExport): string | null {
  if (record.auth !== wanted.auth) {
    return wanted.auth === "chap" ? "exported without CHAP" : "exported with CHAP";
  }
  const [now, then] = [record.portals, wanted.portals].map((portals) => [...portals].sort().join(", "));
  return now === then ? null : `exported at ${now}`;
}

/** That somebody who is on record has no access shows in `granted`; that somebody else has some is a fault. */
function accessFault(
  granted: ReadonlyMap<string, AccessMode>,
  recorded: ReadonlyMap<string, AccessMode>,
): string | null {
  const stranger = [...granted.keys()].find((initiator) => !recorded.has(initiator));
  return stranger === undefined ? null : `${stranger} has access that breezeblock did not give`;
}
