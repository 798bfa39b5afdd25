import { createFilesystems } from "../connectors/filesystem/index.ts";
import { connectors } from "../connectors/registry.ts";
import type {
  ConnectorDriver,
  Filesystems,
  StorageProtocol,
  TargetDriver,
  VolumeDriver,
} from "../contract/index.ts";
import { drivers } from "../drivers/registry.ts";
import { targets } from "../targets/registry.ts";
import type { BackendSettings, ExportSettings } from "./settings.ts";

/** What carries things out on hosts, made of settings. Tests put others in the place of the real ones. */
export interface Rooms {
  driver(settings: BackendSettings): VolumeDriver;
  target(settings: ExportSettings): TargetDriver;
  connectors(): ReadonlyMap<StorageProtocol, ConnectorDriver>;
  filesystems(): Filesystems;
}

export const rooms: Rooms = {
  driver({ name, technology }) {
    switch (technology.technology) {
      case "file":
        return drivers.file({ backend: name, ...technology });
      case "lvm":
        return drivers.lvm({ backend: name, ...technology });
    }
  },
  target(settings) {
    switch (settings.target) {
      case "local":
        return targets.local();
      case "iscsi":
        return targets.iscsi(settings);
      case "nvmet":
        return targets.nvmet(settings);
    }
  },
  connectors: () =>
    new Map(
      Object.values(connectors)
        .map((create) => create())
        .map((driver) => [driver.protocol, driver]),
    ),
  filesystems: () => createFilesystems(),
};
