import * as breezeblock from "breezeblock/pulumi";

const db = new breezeblock.Volume("db", { name: "db", backend: "fast", size: 10 });

new breezeblock.Snapshot("before-upgrade", { name: "db-before-upgrade", volumeId: db.id });

export const path = db.devicePath;
