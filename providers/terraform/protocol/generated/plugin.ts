// Generated from plugin.proto by scripts/generate-protocol.ts; not to be edited.
import { type MessageType, type Method, messageType } from "../message.ts";

export type Empty = Readonly<Record<never, never>>;
export const Empty: MessageType<Empty> = messageType([]);

export const StdioDataChannel = {
  INVALID: 0,
  STDOUT: 1,
  STDERR: 2,
} as const;
export type StdioDataChannel = (typeof StdioDataChannel)[keyof typeof StdioDataChannel];

export interface StdioData {
  readonly channel: StdioDataChannel;
  readonly data: Uint8Array;
}
export const StdioData: MessageType<StdioData> = messageType([
  { number: 1, name: "channel", kind: "enum", shape: "single" },
  { number: 2, name: "data", kind: "bytes", shape: "single" },
]);

export interface ConnInfo {
  readonly serviceId: number;
  readonly network: string;
  readonly address: string;
}
export const ConnInfo: MessageType<ConnInfo> = messageType([
  { number: 1, name: "serviceId", kind: "integer", shape: "single" },
  { number: 2, name: "network", kind: "string", shape: "single" },
  { number: 3, name: "address", kind: "string", shape: "single" },
]);

export const GRPCControllerMethods = {
  shutdown: {
    path: "/plugin.GRPCController/Shutdown",
    request: Empty,
    response: Empty,
  } satisfies Method<Empty, Empty>,
};

export const GRPCStdioMethods = {
  streamStdio: {
    path: "/plugin.GRPCStdio/StreamStdio",
    request: Empty,
    response: StdioData,
  } satisfies Method<Empty, StdioData>,
};

export const GRPCBrokerMethods = {
  startStream: {
    path: "/plugin.GRPCBroker/StartStream",
    request: ConnInfo,
    response: ConnInfo,
  } satisfies Method<ConnInfo, ConnInfo>,
};
