/** The status codes of gRPC that this server answers with (grpc/grpc, doc/statuscodes.md). */
export const statusCodes = {
  ok: 0,
  invalidArgument: 3,
  unimplemented: 12,
  internal: 13,
} as const;

export type StatusCode = (typeof statusCodes)[keyof typeof statusCodes];

/** Ends a call with a status other than `ok`; for faults of the protocol, not for what a user should read. */
export class GrpcError extends Error {
  override readonly name = "GrpcError";
  readonly code: StatusCode;

  constructor(code: StatusCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Percent-encodes what may not stand in a header: everything but printable ASCII, and `%` itself. */
export function encodeStatusMessage(message: string): string {
  return message.replace(/[^ -$&-~]+/gu, (text) =>
    Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
}
