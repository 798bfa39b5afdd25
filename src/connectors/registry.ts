import type { ConnectorDriver, StorageProtocol } from "../contract/index.ts";
import { createIscsiConnector } from "./iscsi/index.ts";
import { createLocalConnector } from "./local/index.ts";
import { createNvmeConnector } from "./nvme/index.ts";

/** Every protocol that a consumer can be connected by. The one place where a new connector is entered. */
export const connectors = {
  local: createLocalConnector,
  iSCSI: createIscsiConnector,
  nvmet_tcp: createNvmeConnector,
} as const satisfies Partial<Record<StorageProtocol, () => ConnectorDriver>>;

/** The name of a protocol that has a connector. */
export type ConnectorName = keyof typeof connectors;
