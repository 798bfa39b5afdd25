import { readFileSync } from "node:fs";
import { Attachment } from "breezeblock/cdktn/attachment";
import { BreezeblockProvider } from "breezeblock/cdktn/provider";
import { Snapshot } from "breezeblock/cdktn/snapshot";
import { Volume } from "breezeblock/cdktn/volume";
import { App, TerraformOutput, TerraformStack } from "cdktn";
import type { Construct } from "constructs";

interface StorageSettings {
  /** What `breezeblock host --json` prints: address, port, user, private_key_file, host_key. */
  readonly host: Record<string, string | number>;
  /** An existing directory on that host. */
  readonly directory: string;
  /** Size of the volume, in GiB. */
  readonly size: number;
}

class StorageStack extends TerraformStack {
  constructor(scope: Construct, id: string, { host, directory, size }: StorageSettings) {
    super(scope, id);

    new BreezeblockProvider(this, "breezeblock", {
      owner: "examples/constructs", // unique to this stack's state
      hosts: {
        storage: {
          address: String(host["address"]),
          port: Number(host["port"]),
          user: String(host["user"]),
          privateKeyFile: String(host["private_key_file"]),
          hostKey: String(host["host_key"]),
        },
      },
      backends: { demo: { host: "storage", file: { directory } } },
    });

    const data = new Volume(this, "data", {
      name: "data",
      backend: "demo",
      size,
      labels: { app: "postgres", tier: "gold" },
    });

    const beforeUpgrade = new Snapshot(this, "before_upgrade", {
      name: "before-upgrade",
      volumeId: data.id,
    });

    const restored = new Volume(this, "restored", {
      name: "restored",
      backend: "demo",
      size: size + 1,
      source: { snapshotId: beforeUpgrade.id },
    });

    new Attachment(this, "restored_attachment", {
      volumeId: restored.id,
      volumeSize: restored.size,
      host: "storage",
    });

    new TerraformOutput(this, "data_path", { value: data.devicePath });
  }
}

const app = new App();
new StorageStack(app, "storage", JSON.parse(readFileSync("storage.json", "utf8")) as StorageSettings);
app.synth();
