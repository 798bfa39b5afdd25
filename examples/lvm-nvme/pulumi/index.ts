import * as pulumi from "@pulumi/pulumi";
import * as breezeblock from "breezeblock/pulumi";

const config = new pulumi.Config();

// A thick LVM volume. Raise `size` and run `pulumi up` again: it grows while it is in use.
const archive = new breezeblock.Volume("archive", {
  name: "archive",
  backend: "bulk",
  size: config.getNumber("size") ?? 1,
  provisioning: "thick",
  labels: { app: "archive" },
});

// Exported over NVMe/TCP, and mounted on another machine, now and whenever that boots.
const attachment = new breezeblock.Attachment("archive", {
  volumeId: archive.id,
  volumeSize: archive.size,
  host: "consumer",
  filesystem: { type: "xfs", mountPoint: "/srv/archive" },
});

export const device = attachment.devicePath;
