import {
  type AttributeSet,
  checkConfig,
  isWhollyKnown,
  type Values,
} from "../../../resources/schema/index.ts";
import type { Routes } from "../grpc/server.ts";
import { ProviderMethods } from "../protocol/generated/tfplugin6.ts";
import type { Catalog } from "./catalog.ts";
import { Findings } from "./diagnostics.ts";
import type { Run } from "./run.ts";

/** Checking configurations, and taking the provider's own. */
export function routeConfigurationMethods(routes: Routes, catalog: Catalog, run: Run): void {
  const { provider } = catalog;

  routes.unary(ProviderMethods.validateProviderConfig, async ({ config }) => {
    const findings = new Findings(provider.attributes);
    await findings.attempt(() => {
      const values = catalog.providerCodec.decode(config) ?? {};
      validate(findings, provider.attributes, values, (checked) => provider.validate(checked));
    });
    return { diagnostics: findings.wire() };
  });

  routes.unary(ProviderMethods.validateResourceConfig, async ({ typeName, config, clientCapabilities }) => {
    const { resource, codec } = catalog.resource(typeName);
    const findings = new Findings(resource.attributes);
    await findings.attempt(() => {
      const values = codec.decode(config) ?? {};
      if (clientCapabilities?.writeOnlyAttributesAllowed !== true) {
        refuseWriteOnly(findings, resource.attributes, values);
      }
      validate(findings, resource.attributes, values, (checked) => resource.validate(checked));
    });
    return { diagnostics: findings.wire() };
  });

  routes.unary(ProviderMethods.validateDataResourceConfig, async ({ typeName, config }) => {
    const { dataSource, codec } = catalog.dataSource(typeName);
    const findings = new Findings(dataSource.attributes);
    await findings.attempt(() => {
      const values = codec.decode(config) ?? {};
      validate(findings, dataSource.attributes, values, (checked) => dataSource.validate(checked));
    });
    return { diagnostics: findings.wire() };
  });

  routes.unary(ProviderMethods.validateEphemeralResourceConfig, async ({ typeName, config }) => {
    const { ephemeral, codec } = catalog.ephemeral(typeName);
    const findings = new Findings(ephemeral.attributes);
    await findings.attempt(() => {
      const values = codec.decode(config) ?? {};
      validate(findings, ephemeral.attributes, values, (checked) => ephemeral.validate(checked));
    });
    return { diagnostics: findings.wire() };
  });

  routes.unary(ProviderMethods.configureProvider, async ({ config }) => {
    const findings = new Findings(provider.attributes);
    await findings.attempt(async () => {
      const values = catalog.providerCodec.decode(config) ?? {};
      await run.configure(provider, isWhollyKnown(values) ? values : null);
    });
    return { diagnostics: findings.wire() };
  });

  routes.unary(ProviderMethods.stopProvider, async () => {
    run.stop();
    return {};
  });
}

/** Cross-field checks only see what is right in itself. */
function validate(
  findings: Findings,
  attributes: AttributeSet,
  values: Values,
  crossCheck: (values: Values) => Parameters<Findings["add"]>[0],
): void {
  findings.add(checkConfig(attributes, values));
  if (!findings.failed) findings.add(crossCheck(values));
}

function refuseWriteOnly(findings: Findings, attributes: AttributeSet, values: Values): void {
  for (const [name, attribute] of Object.entries(attributes)) {
    if (attribute.writeOnly && (values[name] ?? null) !== null) {
      findings.add([
        {
          severity: "error",
          summary: `Unsupported ${name}`,
          detail: `"${name}" is write-only, which needs Terraform 1.11 or OpenTofu 1.11, or later.`,
          path: [name],
        },
      ]);
    }
  }
}
