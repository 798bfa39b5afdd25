import type {
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from "node:http2";
import type { Method } from "../protocol/message.ts";
import { frameMessage, MessageReader } from "./frames.ts";
import { encodeStatusMessage, GrpcError, type StatusCode, statusCodes } from "./status.ts";

type UnaryHandler = (request: Uint8Array) => Promise<Uint8Array>;

/** The methods that one connection can call. */
export class Routes {
  readonly #unary = new Map<string, UnaryHandler>();
  readonly #silent = new Set<string>();

  unary<Request, Response>(
    method: Method<Request, Response>,
    handle: (request: Request) => Promise<Parameters<typeof method.response.encode>[0]>,
  ): this {
    const { request, response } = method;
    this.#unary.set(method.path, async (bytes) => response.encode(await handle(request.decode(bytes))));
    return this;
  }

  /** A method that streams responses of which there are none: it is held open until the client gives it up. */
  silentStream<Request, Response>(method: Method<Request, Response>): this {
    this.#silent.add(method.path);
    return this;
  }

  unaryHandler(path: string): UnaryHandler | undefined {
    return this.#unary.get(path);
  }

  isSilentStream(path: string): boolean {
    return this.#silent.has(path);
  }
}

/**
 * Serves gRPC (grpc/grpc, doc/PROTOCOL-HTTP2.md) on the streams of one HTTP/2 connection: calls with one request and one
 * response, and streams that are only held open. No compression, no deadline of the server's own.
 * `onFault` hears of errors that no handler should have thrown.
 */
export function serveSession(
  session: ServerHttp2Session,
  routes: Routes,
  onFault: (path: string, error: unknown) => void,
): void {
  session.on("stream", (stream, headers) => serveStream(stream, headers, routes, onFault));
  // A connection that breaks shows as its close.
  session.on("error", () => session.destroy());
}

function serveStream(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  routes: Routes,
  onFault: (path: string, error: unknown) => void,
): void {
  const path = headers[":path"] ?? "";
  // The client gave the call up; there is nobody to tell.
  stream.on("error", () => undefined);
  if (routes.isSilentStream(path)) {
    stream.respond(responseHeaders);
    stream.resume();
    return;
  }
  const handler = routes.unaryHandler(path);
  if (handler === undefined) {
    stream.resume();
    endWith(stream, statusCodes.unimplemented, `This provider has no method ${path}.`);
    return;
  }
  const reader = new MessageReader();
  stream.on("data", (chunk: Buffer) => reader.push(chunk));
  stream.on("end", () => {
    answer(stream, reader, handler).catch((error: unknown) => {
      if (!(error instanceof GrpcError)) onFault(path, error);
      const code = error instanceof GrpcError ? error.code : statusCodes.internal;
      endWith(stream, code, error instanceof Error ? error.message : String(error));
    });
  });
}

const responseHeaders: OutgoingHttpHeaders = { ":status": 200, "content-type": "application/grpc" };

async function answer(
  stream: ServerHttp2Stream,
  reader: MessageReader,
  handler: UnaryHandler,
): Promise<void> {
  const request = reader.next();
  if (request === undefined) throw new GrpcError(statusCodes.invalidArgument, "The call holds no request.");
  const response = await handler(request);
  if (stream.destroyed) return;
  stream.respond(responseHeaders, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": String(statusCodes.ok) }));
  stream.end(frameMessage(response));
}

/** A response of headers alone. */
function endWith(stream: ServerHttp2Stream, code: StatusCode, message: string): void {
  if (stream.destroyed || stream.headersSent) return;
  stream.respond(
    { ...responseHeaders, "grpc-status": String(code), "grpc-message": encodeStatusMessage(message) },
    { endStream: true },
  );
}
