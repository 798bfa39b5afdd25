import type { Logger, Provider } from "../../../resources/schema/index.ts";
import type { FleetEnd } from "../../../src/backend/index.ts";
import { Routes } from "../grpc/server.ts";
import { Catalog } from "./catalog.ts";
import { routeConfigurationMethods } from "./configuration-methods.ts";
import { routeDataSourceMethods, routeEphemeralMethods } from "./data-source-methods.ts";
import { routeResourceMethods } from "./resource-methods.ts";
import { Run } from "./run.ts";
import { routeSchemaMethods } from "./schema-methods.ts";

/** A provider as one client sees it: settings and caches are its own. */
export interface Connection {
  readonly routes: Routes;
  /** Aborts what is under way. */
  stop(): void;
  /** Closes the fleet. */
  close(end: FleetEnd): Promise<void>;
}

/** Serves `provider`; the result is called for every client. */
export function createService(provider: Provider, logger: Logger): () => Connection {
  const catalog = new Catalog(provider);
  return () => {
    const run = new Run(logger);
    const routes = new Routes();
    routeSchemaMethods(routes, provider);
    routeConfigurationMethods(routes, catalog, run);
    routeResourceMethods(routes, catalog, run);
    routeDataSourceMethods(routes, catalog, run);
    routeEphemeralMethods(routes, catalog, run);
    return { routes, stop: () => run.stop(), close: (end) => run.close(end) };
  };
}
