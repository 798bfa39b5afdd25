import {
  type AttributeSet,
  type AttributeType,
  nestedAttributes,
  type Value,
  type Values,
} from "../../../resources/schema/index.ts";
import type { Routes } from "../grpc/server.ts";
import { ProviderMethods } from "../protocol/generated/tfplugin6.ts";
import type { Catalog } from "./catalog.ts";
import { Findings } from "./diagnostics.ts";
import type { Run } from "./run.ts";

export function routeDataSourceMethods(routes: Routes, catalog: Catalog, run: Run): void {
  routes.unary(ProviderMethods.readDataSource, async ({ typeName, config }) => {
    const { dataSource, codec } = catalog.dataSource(typeName);
    const findings = new Findings(dataSource.attributes);
    const context = run.context((warning) => findings.warn(warning));
    if (context === null) {
      findings.fail(
        "Provider settings are not known",
        `${typeName} cannot be read while a part of the provider's configuration is unknown. Apply first what it is made of, with -target.`,
      );
      return { diagnostics: findings.wire() };
    }
    const state = await findings.attempt(async () => {
      const values = withDefaults(dataSource.attributes, codec.decode(config) ?? {});
      const { value, misfits } = codec.encode(await run.operate(() => dataSource.read(context, values)));
      if (misfits.length > 0)
        throw new Error(`${typeName} came with values of a wrong kind at ${misfits.join(", ")}.`);
      return value;
    });
    return { state, diagnostics: findings.wire() };
  });
}

/** Nothing is held open: what was read needs no renewal, and closing ends nothing. */
export function routeEphemeralMethods(routes: Routes, catalog: Catalog, run: Run): void {
  routes.unary(ProviderMethods.openEphemeralResource, async ({ typeName, config }) => {
    const { ephemeral, codec } = catalog.ephemeral(typeName);
    const findings = new Findings(ephemeral.attributes);
    const context = run.context((warning) => findings.warn(warning));
    if (context === null) {
      findings.fail(
        "Provider settings are not known",
        `${typeName} cannot be read while a part of the provider's configuration is unknown. Apply first what it is made of, with -target.`,
      );
      return { diagnostics: findings.wire() };
    }
    const result = await findings.attempt(async () => {
      const values = withDefaults(ephemeral.attributes, codec.decode(config) ?? {});
      const { value, misfits } = codec.encode(await run.operate(() => ephemeral.open(context, values)));
      if (misfits.length > 0)
        throw new Error(`${typeName} came with values of a wrong kind at ${misfits.join(", ")}.`);
      return value;
    });
    return { result, diagnostics: findings.wire() };
  });
  routes.unary(ProviderMethods.renewEphemeralResource, async () => ({}));
  routes.unary(ProviderMethods.closeEphemeralResource, async () => ({}));
}

/** Defaults for what the configuration leaves out, also inside nested attributes. */
function withDefaults(attributes: AttributeSet, config: Values): Values {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { type, presence, default: fallback }]) => {
      const written = config[name] ?? null;
      return [
        name,
        written === null && presence === "defaulted" ? fallback : withNestedDefaults(type, written),
      ];
    }),
  );
}

function withNestedDefaults(type: AttributeType, written: Value): Value {
  const nested = nestedAttributes(type);
  if (nested === undefined || written === null || typeof written !== "object") return written;
  if (type.kind === "object") return withDefaults(nested, written as Values);
  if (Array.isArray(written)) return written.map((item) => withDefaults(nested, item as Values));
  return Object.fromEntries(
    Object.entries(written as Values).map(([key, item]) => [key, withDefaults(nested, item as Values)]),
  );
}
