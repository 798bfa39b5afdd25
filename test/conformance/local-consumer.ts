import type { GrantedAttachment } from "../../src/backend/index.ts";
import type { Executor } from "../../src/contract/index.ts";
import type { Consumer } from "./consumer.ts";
import { type Device, Qcow2Device, RawDevice } from "./device.ts";

/** The storage host itself, which opens volumes by their path. */
export function localConsumer(name: string, executor: Executor): Consumer {
  const open = (path: string, format: unknown): Device =>
    format === "qcow2" ? new Qcow2Device(executor, path) : new RawDevice(executor, path);
  return {
    name,
    connector: async () => ({ host: name }),
    incompleteConnector: { ip: "192.0.2.1" },
    open: ({ location, format }) => open(location, format ?? (location.endsWith(".qcow2") ? "qcow2" : "raw")),
    async connect(_session, { connection }: GrantedAttachment): Promise<Device> {
      const { device_path: path, format } = connection.data;
      if (typeof path !== "string") throw new Error("the connection names no device");
      return open(path, format);
    },
    async rescan() {},
    async disconnect() {},
  };
}
