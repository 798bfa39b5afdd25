import {
  type Connector,
  type ConnectorDriver,
  type ConsumerConnection,
  type ConsumerDevice,
  type DeviceRequest,
  type OperationContext,
  StorageError,
} from "../../contract/index.ts";
import { bootScript, bootUnit } from "../boot.ts";
import { ConnectionReader, checkVolumeId } from "../requests.ts";
import { longMs, runScript } from "../run-script.ts";
import { parseNvmeConnections } from "./report.ts";
import {
  nvmeConnectionsScript,
  nvmeConnectScript,
  nvmeDisconnectScript,
  nvmePropertiesScript,
} from "./scripts.ts";

/** The consumer side of NVMe over TCP: nvme-cli, and the kernel's own multipath where it is asked for. */
export function createNvmeConnector(): ConnectorDriver {
  return {
    protocol: "nvmet_tcp",
    connectorProperties,
    connections,
    connectVolume,
    // Connecting looks at what is there, rescans it and waits for the size; that is all it takes.
    extendVolume: connectVolume,
    disconnectVolume,
  };
}

async function connectorProperties(context: OperationContext): Promise<Connector> {
  const text = await runScript(context, {
    action: `use ${context.executor.host} as an NVMe host`,
    text: nvmePropertiesScript,
  });
  const [host = "", nqn = ""] = text.split("\n");
  return { host, nqn: nqn.trim() };
}

async function connections(context: OperationContext): Promise<ReadonlyMap<string, ConsumerConnection>> {
  return parseNvmeConnections(
    await runScript(context, { action: "list the NVMe connections", text: nvmeConnectionsScript }),
  );
}

async function connectVolume(request: DeviceRequest, context: OperationContext): Promise<ConsumerDevice> {
  const reader = new ConnectionReader(request, "nvmet_tcp");
  const action = `connect volume ${request.volumeId}`;
  const text = await runScript(context, {
    action,
    text: nvmeConnectScript,
    args: [
      request.volumeId,
      reader.word("target_nqn"),
      reader.word("uuid"),
      request.multipath ? "yes" : "no",
      String(request.sizeBytes),
      reader.linkName(),
      bootUnit,
      bootScript,
      ...reader.portals(),
    ],
    timeoutMs: longMs,
  });
  const made = parseNvmeConnections(text).get(request.volumeId);
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
  await runScript(context, { action, text: nvmeDisconnectScript, args: [volumeId], timeoutMs: longMs });
}
