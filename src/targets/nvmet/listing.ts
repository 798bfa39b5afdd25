import type { AccessMode, ExportMark, ExportState } from "../../contract/index.ts";
import {
  attributeOf,
  blockSize,
  type ConfigfsListing,
  namesIn,
  parseListing,
  recordLines,
} from "../configfs/listing.ts";
import { parseMark } from "../configfs/mark.ts";

const nvmet = "/sys/kernel/config/nvmet";

/** What a record says. */
interface NvmetRecord {
  readonly removing: boolean;
  readonly nqn: string;
  readonly path: string;
  readonly mark: ExportMark | null;
  /** `ADDRESS SERVICE` */
  readonly portals: readonly string[];
  readonly access: ReadonlySet<string>;
  readonly revoked: readonly string[];
}

/**
 * What `listScript` printed, by volume id.
 *
 * @param wanted the portals that the backend's settings name, `ADDRESS SERVICE`
 */
export function readExports(stdout: string, wanted: readonly string[]): ReadonlyMap<string, ExportState> {
  const listing = parseListing(stdout);
  const listening = listeningFor(listing);
  const exports = new Map<string, ExportState>();
  for (const [file, lines] of listing.records) {
    const volumeId = file.slice(0, -".nvmet".length);
    exports.set(volumeId, exportState(listing, volumeId, parseRecord(lines), listening, wanted));
  }
  return exports;
}

function parseRecord(lines: readonly string[]): NvmetRecord {
  const pairs = recordLines(lines);
  const values = (key: string) => pairs.filter(([word]) => word === key).map(([, rest]) => rest);
  const value = (key: string) => values(key)[0] ?? "";
  return {
    removing: value("removing") !== "",
    nqn: value("nqn"),
    path: value("device"),
    mark: parseMark(value("mark")),
    portals: values("portal"),
    access: new Set(values("rw")),
    revoked: values("revoked"),
  };
}

/** By NQN, where its subsystem is listened for: `ADDRESS SERVICE`. */
function listeningFor(listing: ConfigfsListing): ReadonlyMap<string, readonly string[]> {
  const listening = new Map<string, string[]>();
  for (const port of namesIn(listing, `${nvmet}/ports`)) {
    const at = (attribute: string) => attributeOf(listing, `${nvmet}/ports/${port}/${attribute}`) ?? "";
    if (at("addr_trtype") !== "tcp") continue;
    for (const nqn of namesIn(listing, `${nvmet}/ports/${port}/subsystems`)) {
      const ports = listening.get(nqn) ?? [];
      listening.set(nqn, [...ports, `${at("addr_traddr")} ${at("addr_trsvcid")}`]);
    }
  }
  return listening;
}

function exportState(
  listing: ConfigfsListing,
  volumeId: string,
  record: NvmetRecord,
  listening: ReadonlyMap<string, readonly string[]>,
  wanted: readonly string[],
): ExportState {
  const subsystem = `${nvmet}/subsystems/${record.nqn}`;
  const hosts = namesIn(listing, `${subsystem}/allowed_hosts`);
  const granted = new Map(hosts.map((host): [string, AccessMode] => [host, "rw"]));
  const namespaceFault = faultOfNamespace(listing, volumeId, record);
  return {
    volumeId,
    sizeBytes: namespaceFault === null ? deviceSize(listing, record.path) : null,
    fault:
      namespaceFault ??
      subsystemFault(listing, subsystem) ??
      portalFault(record.portals, listening.get(record.nqn) ?? []) ??
      accessFault(granted, record) ??
      settingsFault(record, wanted),
    granted,
    connected: hosts.length === 0 || isQuiet(listing, record.portals) ? new Set() : null,
    mark: record.mark,
  };
}

/** Whether nobody has a connection to any of the ports; who has one, the kernel does not tell. */
function isQuiet(listing: ConfigfsListing, portals: readonly string[]): boolean {
  const busy = listing.attributes.get("/proc/net/tcp");
  if (busy === undefined) return false;
  const services = portals.map((portal) => Number(portal.split(" ")[1]));
  return busy.every((port) => port === "" || !services.includes(Number.parseInt(port, 16)));
}

/** The kernel looks at the device whenever a consumer asks, so that consumers see the device's size. */
function deviceSize(listing: ConfigfsListing, path: string): number | null {
  const device = listing.devices.get(path);
  if (device === undefined) return null;
  return device.kind === "file" ? device.sizeBytes : blockSize(listing, device.numbers);
}

function faultOfNamespace(listing: ConfigfsListing, volumeId: string, record: NvmetRecord): string | null {
  if (record.removing) return "its removal was not finished";
  if (!listing.devices.has(record.path)) return `${record.path} is missing`;
  const namespace = `${nvmet}/subsystems/${record.nqn}/namespaces/1`;
  const enabled = attributeOf(listing, `${namespace}/enable`);
  if (enabled === undefined) return `the subsystem ${record.nqn} or its namespace is missing`;
  if (enabled !== "1") return "the namespace is disabled";
  if (attributeOf(listing, `${namespace}/device_path`) !== record.path) {
    return `the namespace has another device than ${record.path}`;
  }
  const uuid = attributeOf(listing, `${namespace}/device_uuid`);
  return uuid === volumeId ? null : "the namespace has another UUID than the volume's id";
}

function subsystemFault(listing: ConfigfsListing, subsystem: string): string | null {
  const anybody = attributeOf(listing, `${subsystem}/attr_allow_any_host`);
  return anybody === "0" ? null : "any host has access";
}

function portalFault(portals: readonly string[], listening: readonly string[]): string | null {
  const missing = portals.find((portal) => {
    const [, service = ""] = portal.split(" ");
    return ![portal, `0.0.0.0 ${service}`, `:: ${service}`].some((at) => listening.includes(at));
  });
  return missing === undefined ? null : `portal ${missing.replace(" ", " port ")} is missing`;
}

/** An export stays as it was made until an attachment of it is applied again. */
function settingsFault(record: NvmetRecord, wanted: readonly string[]): string | null {
  const [now, then] = [record.portals, wanted].map((portals) => [...portals].sort().join(", "));
  return now === then ? null : `exported at ${now?.replaceAll(/ (\d)/g, " port $1")}`;
}

/** That somebody who is on record has no access shows in `granted`; the rest are faults. */
function accessFault(granted: ReadonlyMap<string, AccessMode>, record: NvmetRecord): string | null {
  const stranger = [...granted.keys()].find((host) => !record.access.has(host));
  if (stranger !== undefined) return `${stranger} has access that breezeblock did not give`;
  const [revoked] = record.revoked;
  return revoked === undefined ? null : `${revoked} may still be connected`;
}
