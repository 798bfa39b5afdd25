import { randomInt } from "node:crypto";
import {
  type AccessMode,
  type ConnectionInfo,
  type Connector,
  dataPathOf,
  type ExportedVolume,
  type IscsiConnectionData,
  type LockedContext,
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
import { byIdName, initiatorOf, validateConnector } from "./names.ts";
import { credentialsScript, ensureScript, listScript, removeScript, revokeScript } from "./scripts.ts";
import { type CheckedIscsiSettings, checkIscsiSettings, type IscsiTargetSettings } from "./settings.ts";

/** Also when nothing of a target of ours is needed yet, so that a first export does not fail for want of one. */
const modules = ["target_core_mod", "target_core_iblock", "target_core_file", "iscsi_target_mod"];

/**
 * Exports by LIO, the kernel's iSCSI target: one target a volume, LUN 0, with access for each initiator by name, and
 * with CHAP unless that is turned off.
 *
 * @throws StorageError `InvalidConfiguration`
 */
export function createIscsiTarget(settings: IscsiTargetSettings): TargetDriver {
  return new IscsiTarget(checkIscsiSettings(settings));
}

class IscsiTarget implements TargetDriver {
  readonly protocol = "iSCSI";
  readonly validateConnector = validateConnector;
  readonly initiatorOf = initiatorOf;
  readonly #settings: CheckedIscsiSettings;

  constructor(settings: CheckedIscsiSettings) {
    this.#settings = settings;
  }

  async checkForSetupError(context: OperationContext): Promise<void> {
    const action = "use the kernel's iSCSI target (LIO)";
    const printed = await runScript(context, { action, script: checkScript, args: modules });
    requireAddresses(context, this.#settings.portals, printed);
  }

  async exports(context: OperationContext) {
    const printed = await runScript(context, { action: "list exports", script: listScript, args: [] });
    const { auth, portals } = this.#settings;
    return readExports(printed, { auth, portals: portals.map(formatPortal) });
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
      args: [volume.id, this.#iqnOf(volume), dataPathOf(volume)],
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
    const printed = await runScript(context, {
      action,
      script: ensureScript,
      args: [...this.#exportArguments(volume, action, context), mode, initiatorOf(connector)],
      // Used only where this initiator has none yet.
      stdin: `${randomWord(12)} ${randomWord(16)}\n`,
    });
    const data: IscsiConnectionData = {
      // The name that the export was made with, should the prefix have changed since.
      target_iqn: printed.trim(),
      target_portals: this.#settings.portals.map(formatPortal),
      target_lun: 0,
      auth_method: this.#settings.auth === "chap" ? "CHAP" : "None",
      volume_id: volume.id,
      serial: volume.id,
      by_id: byIdName(volume.id),
      access_mode: mode,
    };
    return { driver_volume_type: "iSCSI", data: { ...data } };
  }

  async credentials(volume: VolumeRecord, connector: Connector, context: OperationContext) {
    validateConnector(connector);
    if (this.#settings.auth === "none") return null;
    const action = `read the CHAP credentials of volume "${volume.name}"`;
    const printed = await runScript(context, {
      action,
      script: credentialsScript,
      args: [volume.id, initiatorOf(connector)],
    });
    const [username, password] = printed.trim().split(" ");
    if (username !== undefined && password !== undefined) return { username, password };
    throw new StorageError({
      kind: "VolumeBackendError",
      action,
      reason: "they are damaged on the host",
      nextStep: "Detach the volume and attach it again.",
      host: context.executor.host,
    });
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

  #iqnOf(volume: ExportedVolume): string {
    return `${this.#settings.iqnPrefix}:${volume.id}`;
  }

  #exportArguments(volume: VolumeRecord, action: string, context: LockedContext): readonly string[] {
    const path = exportablePath(volume, action);
    return [
      volume.id,
      this.#iqnOf(volume),
      path.startsWith("/dev/") ? "iblock" : "fileio",
      path,
      backstoreIndex(volume.id),
      this.#settings.auth,
      this.#settings.portals.map(formatPortal).join(" "),
      restoreScript,
      serviceText,
      formatMark(volume, context),
    ];
  }
}

/**
 * Backstores are told apart by a number and a name. The name is enough for us; a number that nobody else is likely to
 * have keeps ours out of the way of what counts from 0.
 */
function backstoreIndex(volumeId: string): string {
  return String(Number.parseInt(volumeId.slice(0, 8), 16));
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** Of letters and digits. Some initiators take passwords of 12 to 16 characters only. */
function randomWord(length: number): string {
  return Array.from({ length }, () => letters.charAt(randomInt(letters.length))).join("");
}
