import { type ClientHttp2Session, connect } from "node:http2";
import { createConnection } from "node:net";
import { frameMessage, MessageReader } from "../grpc/frames.ts";
import type { Init, Method } from "../protocol/message.ts";

/** How a call ended that was not answered. */
export class CallFailed extends Error {
  override readonly name = "CallFailed";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A gRPC client of its own, as an engine is one. */
export class GrpcClient {
  readonly #session: ClientHttp2Session;

  constructor(session: ClientHttp2Session) {
    this.#session = session;
  }

  /** Without TLS. */
  static toSocket(path: string): GrpcClient {
    return new GrpcClient(connect("http://localhost", { createConnection: () => createConnection(path) }));
  }

  /** Rejects with `CallFailed`. */
  call<Request, Response>(method: Method<Request, Response>, request: Init<Request>): Promise<Response> {
    return new Promise((resolve, reject) => {
      const stream = this.#session.request({
        ":method": "POST",
        ":path": method.path,
        "content-type": "application/grpc",
        te: "trailers",
      });
      const reader = new MessageReader();
      let status: Record<string, unknown> = {};
      stream.on("response", (headers) => {
        if (headers["grpc-status"] !== undefined) status = headers;
      });
      stream.on("trailers", (trailers) => {
        status = trailers;
      });
      stream.on("data", (chunk: Buffer) => reader.push(chunk));
      stream.on("error", reject);
      stream.on("close", () => {
        const code = Number(status["grpc-status"] ?? -1);
        const message = reader.next();
        if (code === 0 && message !== undefined) resolve(method.response.decode(message));
        else reject(new CallFailed(code, decodeURIComponent(String(status["grpc-message"] ?? ""))));
      });
      stream.end(frameMessage(method.request.encode(request)));
    });
  }

  /** Resolves when the connection is gone. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#session.close(resolve));
  }
}
