// Generated from health.proto by scripts/generate-protocol.ts; not to be edited.
import { type MessageType, type Method, messageType } from "../message.ts";

export interface HealthCheckRequest {
  readonly service: string;
}
export const HealthCheckRequest: MessageType<HealthCheckRequest> = messageType([
  { number: 1, name: "service", kind: "string", shape: "single" },
]);

export const HealthCheckResponseServingStatus = {
  UNKNOWN: 0,
  SERVING: 1,
  NOT_SERVING: 2,
  SERVICE_UNKNOWN: 3,
} as const;
export type HealthCheckResponseServingStatus = (typeof HealthCheckResponseServingStatus)[keyof typeof HealthCheckResponseServingStatus];

export interface HealthCheckResponse {
  readonly status: HealthCheckResponseServingStatus;
}
export const HealthCheckResponse: MessageType<HealthCheckResponse> = messageType([
  { number: 1, name: "status", kind: "enum", shape: "single" },
]);

export const HealthMethods = {
  check: {
    path: "/grpc.health.v1.Health/Check",
    request: HealthCheckRequest,
    response: HealthCheckResponse,
  } satisfies Method<HealthCheckRequest, HealthCheckResponse>,
};
