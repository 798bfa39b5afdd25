import * as pulumi from "@pulumi/pulumi";
import * as breezeblock from "breezeblock/pulumi";

const config = new pulumi.Config();

// Raise `size` and run `pulumi up` again: the volume grows in place.
const data = new breezeblock.Volume("data", {
  name: "data",
  backend: "demo",
  size: config.getNumber("size") ?? 1,
  labels: { app: "quickstart" },
});

// The volume as it was when this was first applied.
const beforeUpgrade = new breezeblock.Snapshot("beforeUpgrade", {
  name: "before-upgrade",
  volumeId: data.id,
});

// A new volume with the snapshot's content, larger than the snapshot.
const restored = new breezeblock.Volume("restored", {
  name: "restored",
  backend: "demo",
  size: 3,
  source: { snapshotId: beforeUpgrade.id },
});

// A copy of the volume as it is now, as large as the volume.
const clone = new breezeblock.Volume("clone", {
  name: "clone",
  backend: "demo",
  source: { volumeId: data.id },
});

// The file technology exports nothing: its volumes are used on the storage host itself. Where the host's file system has no
// reflinks, a volume must not be in use while it is copied.
const attachment = new breezeblock.Attachment(
  "data",
  { volumeId: data.id, volumeSize: data.size, host: "storage" },
  { dependsOn: [beforeUpgrade, clone] },
);

export const sizeBytes = data.sizeBytes;
export const device = attachment.devicePath;
export const restoredId = restored.id;
export const cloneId = clone.id;
