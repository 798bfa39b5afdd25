import type { Logger, Provider } from "../../resources/schema/index.ts";
import { runForDebugging, runPlugin, type ServedProvider, serveForReattach } from "./handshake/index.ts";
import { createLogger } from "./log.ts";

export type { ServedProvider } from "./handshake/index.ts";

/**
 * The provider as a program: serves the engine that started it; with `--debug`, any engine, until interrupted.
 * `load` is called after the handshake: whatever it imports does not keep the engine waiting.
 */
export function main(load: () => Promise<Provider>): void {
  const logger = createLogger(process.env);
  const options = { environment: process.env, logger, service: () => loadService(load, logger) };
  const running = process.argv.includes("--debug") ? runForDebugging(options) : runPlugin(options);
  running.catch((error: unknown) => {
    process.stderr.write(`breezeblock cannot start: ${error instanceof Error ? error.stack : error}\n`);
    process.exit(1);
  });
}

/** Serves `provider` from this process to engines that are given the result's `reattach`. */
export function serveForTest(
  provider: Provider,
  logger: Logger = createLogger(process.env),
): Promise<ServedProvider> {
  const service = () => loadService(async () => provider, logger);
  return serveForReattach({ environment: process.env, logger, service });
}

async function loadService(load: () => Promise<Provider>, logger: Logger) {
  const [{ createService }, provider] = await Promise.all([import("./service/index.ts"), load()]);
  return createService(provider, logger);
}
