import type { ServerHttp2Session } from "node:http2";
import type { Logger } from "../../../resources/schema/index.ts";
import type { FleetEnd } from "../../../src/backend/index.ts";
import { serveSession } from "../grpc/server.ts";
import { HealthCheckResponseServingStatus, HealthMethods } from "../protocol/generated/health.ts";
import { GRPCBrokerMethods, GRPCControllerMethods, GRPCStdioMethods } from "../protocol/generated/plugin.ts";
import type { Connection } from "../service/index.ts";

/** Longer than any acknowledgement takes on a host that answers. */
const closeLimitMs = 20_000;

/** One engine that is connected. */
export class Client {
  readonly #session: ServerHttp2Session;
  readonly #connection: Connection;
  readonly #logger: Logger;

  /** Serves the provider and go-plugin's own services. `onShutdown`: as in `PluginServerOptions`. */
  constructor(session: ServerHttp2Session, connection: Connection, logger: Logger, onShutdown: () => void) {
    this.#session = session;
    this.#connection = connection;
    this.#logger = logger;
    connection.routes
      .unary(GRPCControllerMethods.shutdown, async () => {
        connection.stop();
        // Engines ask for this at the end of a run only; one that is killed just hangs up.
        await this.#closeFleet({ stateIsKept: true });
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

  /** Aborts what is under way, closes the fleet, for up to 20 s, and hangs up. Idempotent. */
  async close(): Promise<void> {
    this.#connection.stop();
    await this.#closeFleet({ stateIsKept: false });
    this.#session.destroy();
  }

  async #closeFleet(end: FleetEnd): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#logger.log("warn", "gave up closing connections to hosts", {
          after_seconds: closeLimitMs / 1000,
        });
        resolve();
      }, closeLimitMs);
    });
    const closing = this.#connection.close(end).catch((error: unknown) =>
      this.#logger.log("warn", "closing connections to hosts failed", {
        error: error instanceof Error ? error.message : String(error),
      }),
    );
    await Promise.race([closing, limit]);
    clearTimeout(timer);
  }
}
