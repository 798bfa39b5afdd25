import type { Fleet, GrantedAttachment } from "../../src/backend/index.ts";
import type { DeviceRequest, StorageProtocol } from "../../src/contract/index.ts";
import type { HostSettings } from "../../src/ssh/index.ts";
import type { Consumer } from "./consumer.ts";
import { RawDevice } from "./device.ts";

/** A machine that reaches volumes over a network. */
export function remoteConsumer(fleet: Fleet, settings: HostSettings, protocol: StorageProtocol): Consumer {
  const machine = fleet.consumer(settings);
  const driver = machine.connector(protocol);
  const used = new Set<string>();
  return {
    name: settings.name,
    connector: () => machine.properties(protocol),
    incompleteConnector: { host: settings.name },
    async connect(_session, granted) {
      used.add(granted.volume.id);
      const request = deviceRequest(granted, granted.volume.sizeBytes);
      const device = await machine.exclusive("connect", undefined, (context) =>
        driver.connectVolume(request, context),
      );
      return new RawDevice(machine.host, device.path);
    },
    async rescan(_session, granted, sizeBytes) {
      const request = deviceRequest(granted, sizeBytes);
      await machine.exclusive("rescan", undefined, (context) => driver.extendVolume(request, context));
    },
    async disconnect(volumeId) {
      if (!used.has(volumeId)) return;
      await machine.exclusive("disconnect", undefined, (context) =>
        driver.disconnectVolume(volumeId, context),
      );
      used.delete(volumeId);
    },
  };
}

function deviceRequest(
  { volume, connection, credentials }: GrantedAttachment,
  sizeBytes: number,
): DeviceRequest {
  return { volumeId: volume.id, connection, credentials, multipath: false, sizeBytes };
}
