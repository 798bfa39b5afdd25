import {
  type AccessMode,
  type ConnectionInfo,
  type Connector,
  dataPathOf,
  type ExportedVolume,
  type LockedContext,
  type NvmeConnectionData,
  type OperationContext,
  StorageError,
  type TargetDriver,
  type VolumeRecord,
} from "../../contract/index.ts";
import { checkScript } from "../configfs/check-script.ts";
import { serviceText } from "../configfs/common-script.ts";
import { exportablePath, requireAddresses, runScript } from "../configfs/host.ts";
import { formatMark } from "../configfs/mark.ts";
import { formatPortal } from "../configfs/portals.ts";
import { restoreScript } from "../configfs/restore-script.ts";
import { readExports } from "./listing.ts";
import { byIdName, initiatorOf, serialOf, validateConnector } from "./names.ts";
import { ensureScript, listScript, removeScript, revokeScript } from "./scripts.ts";
import { type CheckedNvmetSettings, checkNvmetSettings, type NvmetTargetSettings } from "./settings.ts";

const modules = ["nvmet", "nvmet_tcp"];

/**
 * Exports by nvmet, the kernel's NVMe target, over TCP: one subsystem a volume, namespace 1, with access for each host by
 * name.
 *
 * @throws StorageError `InvalidConfiguration`
 */
export function createNvmetTarget(settings: NvmetTargetSettings): TargetDriver {
  return new NvmetTarget(checkNvmetSettings(settings));
}

class NvmetTarget implements TargetDriver {
  readonly protocol = "nvmet_tcp";
  readonly validateConnector = validateConnector;
  readonly initiatorOf = initiatorOf;
  readonly #settings: CheckedNvmetSettings;

  constructor(settings: CheckedNvmetSettings) {
    this.#settings = settings;
  }

  async checkForSetupError(context: OperationContext): Promise<void> {
    const action = "use the kernel's NVMe target (nvmet)";
    const printed = await runScript(context, { action, script: checkScript, args: modules });
    requireAddresses(context, this.#settings.portals, printed);
  }

  async exports(context: OperationContext) {
    const printed = await runScript(context, { action: "list exports", script: listScript, args: [] });
    return readExports(printed, this.#portalWords());
  }

  async createExport(volume: VolumeRecord, context: LockedContext): Promise<void> {
    await this.ensureExport(volume, context);
  }

  async ensureExport(volume: VolumeRecord, context: LockedContext): Promise<void> {
    const action = `export volume "${volume.name}"`;
    await runScript(context, {
      action,
      script: ensureScript,
      args: this.#exportArguments(volume, action, context),
    });
  }

  async removeExport(volume: ExportedVolume, context: LockedContext): Promise<void> {
    await runScript(context, {
      action: `end the export of volume "${volume.name}"`,
      script: removeScript,
      args: [volume.id, this.#nqnOf(volume), dataPathOf(volume)],
    });
  }

  async initializeConnection(
    volume: VolumeRecord,
    connector: Connector,
    mode: AccessMode,
    context: LockedContext,
  ): Promise<ConnectionInfo> {
    validateConnector(connector);
    const action = `give access to volume "${volume.name}"`;
    if (mode === "ro") throw cannotProtect(action);
    const printed = await runScript(context, {
      action,
      script: ensureScript,
      args: [...this.#exportArguments(volume, action, context), initiatorOf(connector)],
    });
    const data: NvmeConnectionData = {
      // The name that the export was made with, should the prefix have changed since.
      target_nqn: printed.trim(),
      target_portals: this.#settings.portals.map(formatPortal),
      volume_id: volume.id,
      uuid: volume.id,
      by_id: byIdName(volume.id),
      access_mode: mode,
    };
    return { driver_volume_type: "nvmet_tcp", data: { ...data } };
  }

  /** Hosts are known by name only. */
  async credentials(): Promise<null> {
    return null;
  }

  async terminateConnection(
    volume: VolumeRecord,
    connector: Connector | null,
    context: LockedContext,
  ): Promise<void> {
    await runScript(context, {
      action: `take access to volume "${volume.name}"`,
      script: revokeScript,
      args: connector === null ? [volume.id] : [volume.id, initiatorOf(connector)],
    });
  }

  #portalWords(): readonly string[] {
    return this.#settings.portals.map(({ address, port }) => `${address} ${port}`);
  }

  #nqnOf(volume: ExportedVolume): string {
    return `${this.#settings.nqnPrefix}:${volume.id}`;
  }

  #exportArguments(volume: VolumeRecord, action: string, context: LockedContext): readonly string[] {
    return [
      volume.id,
      this.#nqnOf(volume),
      exportablePath(volume, action),
      serialOf(volume.id),
      this.#portalWords().join(" "),
      restoreScript,
      serviceText,
      formatMark(volume, context),
    ];
  }
}

/** Nothing in nvmet keeps one host, or all of them, from writing to a namespace. */
function cannotProtect(action: string): StorageError {
  return new StorageError({
    kind: "NotSupported",
    action,
    reason: "the kernel's NVMe target cannot export a volume read-only",
    nextStep:
      'Use an iSCSI target for read-only attachments, or attach read-write and mount with the option "ro".',
    attribute: ["mode"],
  });
}
