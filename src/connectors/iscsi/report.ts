import type { ConsumerConnection, ConsumerDevice } from "../../contract/index.ts";
import { type ConnectionRecord, pathNumbers, Report, recordsIn } from "../records.ts";

interface Disk {
  readonly name: string;
  readonly number: string;
  readonly sizeBytes: number;
  readonly state: string;
  readonly serial: string;
}

interface Session {
  readonly id: string;
  readonly state: string;
  readonly portal: string;
  readonly disks: readonly Disk[];
}

interface MultipathMap {
  readonly name: string;
  readonly number: string;
  readonly sizeBytes: number;
}

const bytesPerSector = 512;

/** What the scripts printed, as the connections that the records stand for. */
export function parseConnections(text: string): ReadonlyMap<string, ConsumerConnection> {
  const report = new Report(text);
  const numbers = pathNumbers(report);
  const sessions = sessionsByTarget(report);
  const maps = new Map(
    report.facts("map", 5).map(([disk = "", name = "", number = "", sectors]) => {
      const map: MultipathMap = { name, number, sizeBytes: Number(sectors) * bytesPerSector };
      return [disk, map];
    }),
  );
  return new Map(
    recordsIn(report, "iSCSI").map((record) => [
      record.volumeId,
      connection(record, sessions.get(record.target) ?? [], maps, numbers),
    ]),
  );
}

function sessionsByTarget(report: Report): ReadonlyMap<string, readonly Session[]> {
  const disks = new Map<string, Disk[]>();
  for (const [session = "", name = "", number = "", sectors, , state = "", serial = ""] of report.facts(
    "disk",
    7,
  )) {
    const disk = { name, number, sizeBytes: Number(sectors) * bytesPerSector, state, serial };
    disks.set(session, [...(disks.get(session) ?? []), disk]);
  }
  const sessions = new Map<string, Session[]>();
  for (const [id = "", state = "", portal = "", target = ""] of report.facts("session", 4)) {
    const session = { id, state, portal, disks: disks.get(id) ?? [] };
    sessions.set(target, [...(sessions.get(target) ?? []), session]);
  }
  return sessions;
}

function connection(
  record: ConnectionRecord,
  sessions: readonly Session[],
  maps: ReadonlyMap<string, MultipathMap>,
  numbers: ReadonlyMap<string, string>,
): ConsumerConnection {
  const { volumeId } = record;
  const without = (fault: string): ConsumerConnection => ({ volumeId, device: null, fault });
  if (sessions.length === 0) return without(`there is no session to ${record.target}`);
  const live = sessions.filter(({ state }) => state === "LOGGED_IN");
  if (live.length === 0) {
    return without(`no session to ${record.target} is up (${sessions.map(({ state }) => state).join(", ")})`);
  }
  const disks = live.flatMap((session) => session.disks);
  const foreign = disks.find(({ serial }) => serial !== record.serial);
  const [disk] = disks;
  if (disk === undefined) return without(`the session to ${record.target} shows no device`);
  if (foreign !== undefined) {
    return without(`/dev/${foreign.name} shows the serial number ${JSON.stringify(foreign.serial)}`);
  }
  const above = maps.get(disk.name);
  if (record.multipath && above === undefined)
    return without(`no multipath device is above /dev/${disk.name}`);
  const top = above ?? disk;
  if (record.path === null || numbers.get(record.path) !== top.number) {
    return without(`${record.path ?? "no stable path"} does not lead to /dev/${top.name}`);
  }
  const portals = live.map(({ portal }) => portal);
  const device: ConsumerDevice = {
    volumeId,
    path: record.path,
    kernelPath: `/dev/${top.name}`,
    sizeBytes: top.sizeBytes,
    portals,
    multipath: above !== undefined,
  };
  return { volumeId, device, fault: portalFault(record, portals) ?? stateFault(disks) };
}

/** One session is enough for a single path; multipath wants them all. */
function portalFault(record: ConnectionRecord, portals: readonly string[]): string | null {
  if (!record.multipath) return null;
  const missing = record.portals.filter((portal) => !portals.includes(portal));
  return missing.length === 0 ? null : `no session is up to ${missing.join(", ")}`;
}

function stateFault(disks: readonly Disk[]): string | null {
  const [down] = disks.filter(({ state }) => state !== "running");
  return down === undefined ? null : `/dev/${down.name} is ${down.state}`;
}
