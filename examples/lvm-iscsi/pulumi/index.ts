import * as pulumi from "@pulumi/pulumi";
import * as breezeblock from "breezeblock/pulumi";

const config = new pulumi.Config();

// An LVM thin volume. Raise `size` and run `pulumi up` again: it grows while it is in use.
const postgres = new breezeblock.Volume("postgres", {
  name: "postgres",
  backend: "fast",
  size: config.getNumber("size") ?? 1,
  labels: { app: "postgres" },
});

// Exported over iSCSI with CHAP, and mounted on another machine, now and whenever that boots.
const attachment = new breezeblock.Attachment("postgres", {
  volumeId: postgres.id,
  volumeSize: postgres.size,
  host: "consumer",
  filesystem: { type: "ext4", mountPoint: "/srv/postgres" },
});

export const device = attachment.devicePath;
