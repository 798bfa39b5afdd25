import { type Connector, StorageError } from "../../contract/index.ts";

/**
 * CON-1: a host is known by its NVMe name.
 *
 * @throws StorageError `InvalidConnector`
 */
export function validateConnector(connector: Connector): void {
  const { nqn } = connector;
  const reason =
    nqn === undefined || nqn === ""
      ? "the connector has no nqn"
      : nqn.length <= 223 && /^nqn\.\d{4}-(0[1-9]|1[0-2])\.[A-Za-z0-9.-]+(:[A-Za-z0-9._:-]+)?$/.test(nqn)
        ? undefined
        : `${JSON.stringify(nqn)} is not an NVMe qualified name`;
  if (reason === undefined) return;
  throw new StorageError({
    kind: "InvalidConnector",
    action: "connect an NVMe host",
    reason,
    nextStep: "Set connector.nqn to the name in the consumer's /etc/nvme/hostnqn.",
    attribute: ["connector", "nqn"],
  });
}

export function initiatorOf(connector: Connector): string {
  return connector.nqn ?? "";
}

/** What udev calls the device, below `/dev/disk/by-id/`: by the namespace's UUID, which is the volume's id. */
export function byIdName(volumeId: string): string {
  return `nvme-uuid.${volumeId}`;
}

/** A controller's serial number has 20 characters at most. */
export function serialOf(volumeId: string): string {
  return volumeId.replaceAll("-", "").slice(0, 20);
}
