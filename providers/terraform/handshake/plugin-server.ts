import type { Http2Server, ServerHttp2Session, ServerOptions } from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import type { Logger } from "../../../resources/schema/index.ts";
import { serveSession } from "../grpc/server.ts";
import { HealthCheckResponseServingStatus, HealthMethods } from "../protocol/generated/health.ts";
import { GRPCBrokerMethods, GRPCControllerMethods, GRPCStdioMethods } from "../protocol/generated/plugin.ts";
import type { Connection } from "../service/index.ts";
import type { Certificate } from "./certificate.ts";

export interface PluginServerOptions {
  readonly socketPath: string;
  /** AutoMTLS: ours, and the one certificate that a client must show. Undefined for a bare socket. */
  readonly tls: { readonly certificate: Certificate; readonly client: string } | undefined;
  /** Resolves to what serves each client. Awaited when the first one comes, so that the socket can be up before. */
  readonly service: () => Promise<() => Connection>;
  readonly logger: Logger;
  /** A client asked the plugin to end; its fleet is closed, and the answer goes out when this returns. */
  readonly onShutdown: () => void;
  /** The last client is gone. */
  readonly onIdle: () => void;
}

/** Longer than any acknowledgement takes on a host that answers. */
const closeLimitMs = 20_000;

const http2Options: ServerOptions = {
  // Values are small, but the schema and a whole parallel walk are not.
  settings: { initialWindowSize: 4 * 1024 * 1024 },
  maxSessionMemory: 1024,
};

/** What go-plugin calls a plugin: a socket on which the provider and go-plugin's own services answer. */
export class PluginServer {
  readonly #options: PluginServerOptions;
  readonly #listener: Server;
  readonly #clients = new Map<ServerHttp2Session, Connection>();
  #http2: Promise<Http2Server> | undefined;

  private constructor(options: PluginServerOptions) {
    this.#options = options;
    this.#listener = createServer((socket) => this.#accept(socket));
  }

  /** Resolves when clients can connect. */
  static async listen(options: PluginServerOptions): Promise<PluginServer> {
    const server = new PluginServer(options);
    await new Promise<void>((resolve, reject) => {
      server.#listener.once("error", reject);
      server.#listener.listen(options.socketPath, resolve);
    });
    return server;
  }

  /** Loads what the first client will need. Rejects when it cannot be loaded. */
  async prepare(): Promise<void> {
    this.#http2 ??= this.#createHttp2();
    await this.#http2;
  }

  /** Ends every connection; operations under way are aborted and fleets closed, for up to 20 s. */
  async close(): Promise<void> {
    this.#listener.close();
    const clients = [...this.#clients];
    for (const [, connection] of clients) connection.stop();
    await Promise.all(clients.map(([, connection]) => this.#closeFleet(connection)));
    for (const [session] of clients) session.destroy();
  }

  #accept(socket: Socket): void {
    socket.on("error", () => socket.destroy());
    this.#http2 ??= this.#createHttp2();
    this.#http2.then(
      // An HTTP/2 server takes over any socket that it is told of, here one that was accepted before it was loaded.
      (http2) => http2.emit("connection", socket),
      () => socket.destroy(),
    );
  }

  async #createHttp2(): Promise<Http2Server> {
    const { tls, logger } = this.#options;
    const [http2, connect] = await Promise.all([import("node:http2"), this.#options.service()]);
    const server =
      tls === undefined
        ? http2.createServer(http2Options)
        : http2.createSecureServer({
            ...http2Options,
            key: tls.certificate.key,
            cert: tls.certificate.pem,
            ca: tls.client,
            requestCert: true,
            rejectUnauthorized: true,
          });
    server.on("session", (session: ServerHttp2Session) => this.#serve(session, connect()));
    server.on("sessionError", (error: Error) =>
      logger.log("debug", "connection failed", { error: error.message }),
    );
    server.on("tlsClientError", (error: Error) =>
      logger.log("warn", "client refused", { error: error.message }),
    );
    return server as Http2Server;
  }

  #serve(session: ServerHttp2Session, connection: Connection): void {
    const { logger, onShutdown, onIdle } = this.#options;
    this.#clients.set(session, connection);
    session.on("close", () => {
      connection.stop();
      this.#clients.delete(session);
      void this.#closeFleet(connection).then(() => {
        if (this.#clients.size === 0) onIdle();
      });
    });
    connection.routes
      .unary(GRPCControllerMethods.shutdown, async () => {
        await this.#closeFleet(connection);
        onShutdown();
        return {};
      })
      .unary(HealthMethods.check, async () => ({ status: HealthCheckResponseServingStatus.SERVING }))
      .silentStream(GRPCStdioMethods.streamStdio)
      .silentStream(GRPCBrokerMethods.startStream);
    serveSession(session, connection.routes, (path, error) =>
      logger.log("error", "call failed", {
        method: path,
        error: error instanceof Error ? error.stack : String(error),
      }),
    );
  }

  async #closeFleet(connection: Connection): Promise<void> {
    const { logger } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        logger.log("warn", "gave up closing connections to hosts", { after_seconds: closeLimitMs / 1000 });
        resolve();
      }, closeLimitMs);
    });
    const closing = connection.close().catch((error: unknown) =>
      logger.log("warn", "closing connections to hosts failed", {
        error: error instanceof Error ? error.message : String(error),
      }),
    );
    await Promise.race([closing, limit]);
    clearTimeout(timer);
  }
}
