export { createFilesystems } from "./filesystem/index.ts";
export { type ConnectorName, connectors } from "./registry.ts";
