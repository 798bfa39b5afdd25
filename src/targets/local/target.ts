import {
  type AccessMode,
  type Connector,
  dataPathOf,
  StorageError,
  type TargetDriver,
  type VolumeRecord,
} from "../../contract/index.ts";

/**
 * Access on the storage host itself: the consumer opens the volume's file or device by its path.
 *
 * Nothing stands between consumer and volume that could be exported, granted or revoked, so no call runs a command:
 * exporting and terminating always succeed, and a connection is the path. That only recorded attachments use it, and
 * only in their mode, is up to the consumer; file permissions are the host's.
 */
export function createLocalTarget(): TargetDriver {
  return {
    protocol: "local",
    async checkForSetupError() {},
    validateConnector,
    initiatorOf: (connector) => connector.host ?? "",
    exports: async () => new Map(),
    async createExport() {},
    async ensureExport() {},
    async removeExport() {},
    async initializeConnection(volume: VolumeRecord, connector: Connector, mode: AccessMode) {
      validateConnector(connector);
      const path = dataPathOf(volume);
      return {
        driver_volume_type: "local",
        data: {
          device_path: path,
          format: volume.format ?? (path.endsWith(".qcow2") ? "qcow2" : "raw"),
          access_mode: mode,
        },
      };
    },
    credentials: async () => null,
    async terminateConnection() {},
  };
}

/** CON-1: a consumer on the storage host is known by that host's name. */
function validateConnector(connector: Connector): void {
  if (connector.host !== undefined && connector.host !== "") return;
  throw new StorageError({
    kind: "InvalidConnector",
    action: "connect a local consumer",
    reason: "the connector has no host",
    nextStep: "Set connector.host to the name of the consumer's host.",
    attribute: ["connector", "host"],
  });
}
