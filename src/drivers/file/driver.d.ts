import { type VolumeDriver } from "../../contract/index.ts";
import { type FileFormat } from "./layout.ts";
export interface FileDriverSettings {
  /** The backend's name in the configuration, for messages. */
  readonly backend: string;
  /** Absolute path of an existing directory on the host. */
  readonly directory: string;
  /** What new, empty volumes are made as. A copy has its source's format. */
  readonly format: FileFormat;
}
/** A driver for a directory of files on a host: raw (sparse or allocated) or qcow2. Layout: docs/adr/0003. */
export declare function createFileDriver(settings: FileDriverSettings): VolumeDriver;
