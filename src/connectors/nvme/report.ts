import type { ConsumerConnection } from "../../contract/index.ts";
import { type ConnectionRecord, pathNumbers, Report, recordsIn } from "../records.ts";

interface Controller {
  readonly state: string;
  readonly portal: string;
}

interface Namespace {
  readonly name: string;
  readonly number: string;
  readonly sizeBytes: number;
  readonly uuid: string;
}

interface Subsystem {
  readonly controllers: Controller[];
  readonly namespaces: readonly Namespace[];
}

const bytesPerSector = 512;

/** What the scripts printed, as the connections that the records stand for. */
export function parseNvmeConnections(text: string): ReadonlyMap<string, ConsumerConnection> {
  const report = new Report(text);
  const numbers = pathNumbers(report);
  const subsystems = subsystemsByNqn(report);
  return new Map(
    recordsIn(report, "nvmet_tcp").map((record) => [
      record.volumeId,
      connection(record, subsystems.get(record.target), numbers),
    ]),
  );
}

function subsystemsByNqn(report: Report): ReadonlyMap<string, Subsystem> {
  const namespaces = new Map<string, Namespace[]>();
  for (const [subsystem = "", name = "", number = "", sectors, uuid = ""] of report.facts("namespace", 5)) {
    const namespace = { name, number, sizeBytes: Number(sectors) * bytesPerSector, uuid };
    namespaces.set(subsystem, [...(namespaces.get(subsystem) ?? []), namespace]);
  }
  const byNqn = new Map<string, Subsystem>();
  for (const [name = "", , state = "", portal = "", nqn = ""] of report.facts("controller", 5)) {
    const subsystem = byNqn.get(nqn) ?? { controllers: [], namespaces: namespaces.get(name) ?? [] };
    subsystem.controllers.push({ state, portal });
    byNqn.set(nqn, subsystem);
  }
  return byNqn;
}

function connection(
  record: ConnectionRecord,
  subsystem: Subsystem | undefined,
  numbers: ReadonlyMap<string, string>,
): ConsumerConnection {
  const { volumeId } = record;
  const without = (fault: string): ConsumerConnection => ({ volumeId, device: null, fault });
  if (subsystem === undefined) return without(`there is no controller of ${record.target}`);
  const portals = subsystem.controllers.filter(({ state }) => state === "live").map(({ portal }) => portal);
  if (portals.length === 0) {
    const states = subsystem.controllers.map(({ state }) => state).join(", ");
    return without(`no controller of ${record.target} is live (${states})`);
  }
  const [first] = subsystem.namespaces;
  if (first === undefined) return without(`${record.target} shows no namespace`);
  const namespace = subsystem.namespaces.find(({ uuid }) => uuid === record.serial);
  if (namespace === undefined)
    return without(`/dev/${first.name} shows the UUID ${JSON.stringify(first.uuid)}`);
  if (record.path === null || numbers.get(record.path) !== namespace.number) {
    return without(`${record.path ?? "no stable path"} does not lead to /dev/${namespace.name}`);
  }
  const missing = record.multipath ? record.portals.filter((portal) => !portals.includes(portal)) : [];
  return {
    volumeId,
    device: {
      volumeId,
      path: record.path,
      kernelPath: `/dev/${namespace.name}`,
      sizeBytes: namespace.sizeBytes,
      portals,
      multipath: record.multipath,
    },
    fault: missing.length === 0 ? null : `no controller is live at ${missing.join(", ")}`,
  };
}
