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
import { parseConnections } from "./report.ts";
import { connectionsScript, connectScript, disconnectScript, propertiesScript } from "./scripts.ts";

/** The consumer side of iSCSI: open-iscsi, and dm-multipath where it is asked for. */
export function createIscsiConnector(): ConnectorDriver {
  return {
    protocol: "iSCSI",
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
    action: `use ${context.executor.host} as an iSCSI initiator`,
    text: propertiesScript,
  });
  const [host = "", initiator = ""] = text.split("\n");
  return { host, initiator: initiator.trim() };
}

async function connections(context: OperationContext): Promise<ReadonlyMap<string, ConsumerConnection>> {
  return parseConnections(
    await runScript(context, { action: "list the iSCSI connections", text: connectionsScript }),
  );
}

async function connectVolume(request: DeviceRequest, context: OperationContext): Promise<ConsumerDevice> {
  const reader = new ConnectionReader(request, "iSCSI");
  const action = `connect volume ${request.volumeId}`;
  const text = await runScript(context, {
    action,
    text: connectScript,
    args: [
      request.volumeId,
      reader.word("target_iqn"),
      String(reader.number("target_lun")),
      reader.word("serial"),
      request.multipath ? "yes" : "no",
      String(request.sizeBytes),
      reader.linkName(),
      bootUnit,
      bootScript,
      ...reader.portals(),
    ],
    stdin: reader.credentials(),
    timeoutMs: longMs,
  });
  const made = parseConnections(text).get(request.volumeId);
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
  await runScript(context, { action, text: disconnectScript, args: [volumeId], timeoutMs: longMs });
}
