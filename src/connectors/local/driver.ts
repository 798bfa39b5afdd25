import {
  type Connector,
  type ConnectorDriver,
  type ConsumerConnection,
  type ConsumerDevice,
  type DeviceRequest,
  type OperationContext,
  StorageError,
} from "../../contract/index.ts";
import { Report, recordsIn } from "../records.ts";
import { ConnectionReader, checkVolumeId } from "../requests.ts";
import { longMs, runScript } from "../run-script.ts";
import {
  localConnectionsScript,
  localConnectScript,
  localDisconnectScript,
  localPropertiesScript,
} from "./scripts.ts";

const bytesPerSector = 512;

/**
 * A consumer on the storage host itself. There is nothing to log in to: the device is the volume's own, and its name
 * holds the volume's id. It is written down all the same, so that a consumer's connections are listed alike.
 */
export function createLocalConnector(): ConnectorDriver {
  return {
    protocol: "local",
    connectorProperties,
    connections,
    connectVolume,
    extendVolume: connectVolume,
    disconnectVolume,
  };
}

async function connectorProperties(context: OperationContext): Promise<Connector> {
  const text = await runScript(context, {
    action: `use ${context.executor.host} as a local consumer`,
    text: localPropertiesScript,
  });
  return { host: text.trim() };
}

async function connections(context: OperationContext): Promise<ReadonlyMap<string, ConsumerConnection>> {
  return parse(await runScript(context, { action: "list the local volumes", text: localConnectionsScript }));
}

async function connectVolume(request: DeviceRequest, context: OperationContext): Promise<ConsumerDevice> {
  const reader = new ConnectionReader(request, "local");
  const action = `connect volume ${request.volumeId}`;
  const text = await runScript(context, {
    action,
    text: localConnectScript,
    args: [request.volumeId, reader.localPath("device_path"), String(request.sizeBytes)],
    timeoutMs: longMs,
  });
  const made = parse(text).get(request.volumeId);
  if (made?.device) return made.device;
  throw new StorageError({
    kind: "VolumeBackendError",
    action,
    reason: made?.fault ?? "the consumer has no record of it",
    host: context.executor.host,
  });
}

async function disconnectVolume(volumeId: string, context: OperationContext): Promise<void> {
  const action = `disconnect volume ${volumeId}`;
  checkVolumeId(volumeId, action);
  await runScript(context, { action, text: localDisconnectScript, args: [volumeId], timeoutMs: longMs });
}

function parse(text: string): ReadonlyMap<string, ConsumerConnection> {
  const report = new Report(text);
  const devices = new Map<string, ConsumerDevice>();
  const keep = (volumeId: string, path: string, kernelPath: string, sizeBytes: number) =>
    devices.set(volumeId, { volumeId, path, kernelPath, sizeBytes, portals: [], multipath: false });
  for (const [id = "", size, path = ""] of report.facts("file", 3)) keep(id, path, path, Number(size));
  for (const [id = "", name = "", sectors, path = ""] of report.facts("device", 4)) {
    keep(id, path, `/dev/${name}`, Number(sectors) * bytesPerSector);
  }
  return new Map(
    recordsIn(report, "local").map(({ volumeId, target }) => {
      const device = devices.get(volumeId) ?? null;
      return [volumeId, { volumeId, device, fault: device === null ? `${target} is not there` : null }];
    }),
  );
}
