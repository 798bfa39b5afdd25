import { Fleet } from "../../src/backend/index.ts";
import { attachment } from "../attachment.ts";
import { connection } from "../connection.ts";
import { backendsData } from "../data/backends.ts";
import { placementData } from "../data/placement.ts";
import { snapshotData } from "../data/snapshot.ts";
import { volumeData } from "../data/volume.ts";
import { volumesData } from "../data/volumes.ts";
import { groupSnapshot } from "../group-snapshot.ts";
import { image } from "../image.ts";
import {
  type Diagnostic,
  DiagnosticsError,
  type Logger,
  type Provider,
  type ProviderDefaults,
  type Values,
} from "../schema/index.ts";
import { snapshot } from "../snapshot.ts";
import { volume } from "../volume/index.ts";
import { type ProviderConfig, providerAttributes } from "./attributes.ts";
import { readConfigFile } from "./config-file.ts";
import { mergeConfigs, toSettings } from "./settings.ts";

/** Everything that breezeblock offers, in no engine's words. */
export const provider: Provider = {
  description:
    "Block storage on ordinary Linux hosts: volumes, snapshots and attachments, carried out over SSH. No control plane, no agent, no database.",
  attributes: providerAttributes,
  // What can be complained of depends on the whole, file included: `configure` does it, at plan as well.
  validate: () => [],
  configure,
  resources: [volume, snapshot, attachment, groupSnapshot, image],
  dataSources: [backendsData, placementData, volumeData, volumesData, snapshotData],
  ephemerals: [connection],
};

async function configure(values: Values, logger: Logger, defaults?: ProviderDefaults): Promise<Fleet> {
  const written = values as unknown as ProviderConfig;
  const file = written.config_file ?? process.env["BREEZEBLOCK_CONFIG_FILE"];
  const config = file === undefined ? written : mergeConfigs(await readConfigFile(file), written);
  const { settings, diagnostics } = toSettings(config, process.env, defaults?.owner);
  if (diagnostics.length > 0) {
    // The engine can only point at what stands in its own configuration.
    throw new DiagnosticsError(diagnostics.map((diagnostic) => pointInto(written, diagnostic)));
  }
  return new Fleet(settings, {
    log: {
      debug: (message, fields) => logger.log("debug", message, fields),
      info: (message) => logger.log("info", message),
    },
  });
}

function pointInto(written: ProviderConfig, diagnostic: Diagnostic): Diagnostic {
  const [collection, name] = diagnostic.path ?? [];
  const entries = collection === "hosts" || collection === "backends" ? written[collection] : null;
  const isThere = entries !== null && typeof name === "string" && Object.hasOwn(entries, name);
  return isThere ? diagnostic : { ...diagnostic, path: ["config_file"] };
}
