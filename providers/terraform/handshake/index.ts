import { writeSync } from "node:fs";
import type { Logger } from "../../../resources/schema/index.ts";
import type { Connection } from "../service/index.ts";
import { createCertificate } from "./certificate.ts";
import { protocolVersion, refusal } from "./magic-cookie.ts";
import { PluginServer } from "./plugin-server.ts";
import { reattachValue } from "./reattach.ts";
import { SocketDirectory } from "./socket-directory.ts";

export interface PluginOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly logger: Logger;
  /** Resolves to what serves each client. Called after the handshake, so that the engine does not wait for it. */
  readonly service: () => Promise<() => Connection>;
}

/**
 * Runs this process as a plugin of the engine that started it, until that engine ends it or is gone: then exits.
 * Started by anything else it says so and exits with 1.
 */
export async function runPlugin({ environment, logger, service }: PluginOptions): Promise<void> {
  const complaint = refusal(environment);
  if (complaint !== undefined) {
    process.stderr.write(complaint);
    process.exitCode = 1;
    return;
  }
  // A terminal interrupts the whole group; the engine then says itself what should stop.
  process.on("SIGINT", () => undefined);
  const directory = new SocketDirectory(environment);
  process.on("exit", () => directory.remove());
  const client = environment["PLUGIN_CLIENT_CERT"];
  const tls = client ? { certificate: createCertificate(), client } : undefined;
  const server = await PluginServer.listen({
    socketPath: directory.socket,
    tls,
    service,
    logger,
    // The client hangs up after the answer; should it not, it is not waited for.
    onShutdown: () => setTimeout(() => process.exit(0), 1_000),
    onIdle: () => process.exit(0),
  });
  process.on("SIGTERM", () => end(server));
  endWithParent(server);
  const certificate = tls?.certificate.der.toString("base64").replace(/=+$/, "") ?? "";
  // Not through process.stdout, which takes a while to set up, and which nothing else may use.
  writeSync(1, `1|${protocolVersion}|unix|${directory.socket}|grpc|${certificate}\n`);
  await server.prepare();
}

/** A provider served by this process. */
export interface ServedProvider {
  /** For the environment of the engine, as `TF_REATTACH_PROVIDERS`. */
  readonly reattach: string;
  close(): Promise<void>;
}

/** Serves engines that are told of it by `TF_REATTACH_PROVIDERS`; every run is a client with settings and caches of its own. */
export async function serveForReattach({
  environment,
  logger,
  service,
}: PluginOptions): Promise<ServedProvider> {
  const directory = new SocketDirectory(environment);
  const server = await PluginServer.listen({
    socketPath: directory.socket,
    tls: undefined,
    service,
    logger,
    onShutdown: () => undefined,
    onIdle: () => undefined,
  });
  return {
    reattach: reattachValue(directory.socket, process.pid),
    close: async () => {
      await server.close();
      directory.remove();
    },
  };
}

/** As `serveForReattach`, until interrupted; prints the variable to set. */
export async function runForDebugging(options: PluginOptions): Promise<void> {
  const served = await serveForReattach(options);
  process.stdout.write(
    "Serving until interrupted. In another terminal, set this and run terraform or tofu:\n\n" +
      `TF_REATTACH_PROVIDERS='${served.reattach}'\n`,
  );
  const stop = () => void served.close().finally(() => process.exit(0));
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}

function end(server: PluginServer): void {
  void server.close().finally(() => process.exit(0));
}

/** An engine that was killed before it connected leaves no other trace than another parent. */
function endWithParent(server: PluginServer): void {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    end(server);
  }, 1_000);
  watch.unref();
}
