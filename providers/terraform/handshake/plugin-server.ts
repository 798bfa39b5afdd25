import type { Http2Server, ServerHttp2Session, ServerOptions } from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import type { Logger } from "../../../resources/schema/index.ts";
import type { Connection } from "../service/index.ts";
import type { Certificate } from "./certificate.ts";
import type { Client } from "./client.ts";

export interface PluginServerOptions {
  readonly socketPath: string;
  /** AutoMTLS: ours, and the one certificate that a client must show. Undefined for a bare socket. */
  readonly tls: { readonly certificate: Certificate; readonly client: string } | undefined;
  /** Resolves to what serves each client. Awaited when the first one comes, so that the socket can be up before. */
  readonly service: () => Promise<() => Connection>;
  readonly logger: Logger;
  /** A client asked the plugin to end; its fleet is closed, and the answer goes out when this returns. */
  readonly onShutdown: () => void;
  /** The last client is gone, and its fleet closed. */
  readonly onIdle: () => void;
}

const http2Options: ServerOptions = {
  // Values are small, but the schema and a whole parallel walk are not.
  settings: { initialWindowSize: 4 * 1024 * 1024 },
  maxSessionMemory: 1024,
};

/**
 * The socket of a plugin. Only what is needed to listen is loaded with this module: HTTP/2, gRPC and the provider follow
 * while the engine reads the handshake and connects.
 */
export class PluginServer {
  readonly #options: PluginServerOptions;
  readonly #listener: Server;
  readonly #clients = new Set<Client>();
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
    await Promise.all([...this.#clients].map((client) => client.close()));
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
    const { tls, logger, onShutdown, onIdle } = this.#options;
    const [{ Client }, connect] = await Promise.all([import("./client.ts"), this.#options.service()]);
    // In a third of the time that `import` takes.
    const http2 = process.getBuiltinModule("node:http2");
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
    server.on("session", (session: ServerHttp2Session) => {
      const client = new Client(session, connect(), logger, onShutdown);
      this.#clients.add(client);
      session.on("close", () => {
        void client.close().then(() => {
          this.#clients.delete(client);
          if (this.#clients.size === 0) onIdle();
        });
      });
    });
    server.on("sessionError", (error: Error) =>
      logger.log("debug", "connection failed", { error: error.message }),
    );
    server.on("tlsClientError", (error: Error) =>
      logger.log("warn", "client refused", { error: error.message }),
    );
    return server as Http2Server;
  }
}
