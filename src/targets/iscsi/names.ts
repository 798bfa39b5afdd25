import { type Connector, StorageError } from "../../contract/index.ts";

/**
 * CON-1: an initiator is known by its iSCSI name (RFC 3720, 3.2.6): `iqn.`, `eui.` or `naa.`.
 *
 * @throws StorageError `InvalidConnector`
 */
export function validateConnector(connector: Connector): void {
  const { initiator } = connector;
  const reason =
    initiator === undefined || initiator === ""
      ? "the connector has no initiator"
      : isInitiator(initiator)
        ? undefined
        : `${JSON.stringify(initiator)} is not an iSCSI name`;
  if (reason === undefined) return;
  throw new StorageError({
    kind: "InvalidConnector",
    action: "connect an iSCSI initiator",
    reason,
    nextStep: "Set connector.initiator to the name in the consumer's /etc/iscsi/initiatorname.iscsi.",
    attribute: ["connector", "initiator"],
  });
}

function isInitiator(name: string): boolean {
  return (
    name.length <= 223 &&
    (/^iqn\.\d{4}-(0[1-9]|1[0-2])\.[a-z0-9.-]+(:[a-z0-9.:_-]+)?$/i.test(name) ||
      /^eui\.[0-9a-f]{16}$/i.test(name) ||
      /^naa\.([0-9a-f]{16}|[0-9a-f]{32})$/i.test(name))
  );
}

/** In lower case, as the kernel compares them. */
export function initiatorOf(connector: Connector): string {
  return (connector.initiator ?? "").toLowerCase();
}

/**
 * What udev calls the device, below `/dev/disk/by-id/`: LIO's NAA name is its company id, 001405, and the first 25
 * hexadecimal digits of the unit serial number, which is the volume's id.
 */
export function byIdName(volumeId: string): string {
  return `wwn-0x6001405${volumeId.replaceAll("-", "").slice(0, 25)}`;
}
