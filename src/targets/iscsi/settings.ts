import { StorageError } from "../../contract/index.ts";
import { type Portal, parsePortals } from "../configfs/portals.ts";

/** How volumes are exported by LIO. */
export interface IscsiTargetSettings {
  /** Addresses of the storage host, as consumers reach them: `10.0.0.5:3260`, `[fd00::5]:3260`; the port may be left out. */
  readonly portals: readonly string[];
  /** Whether consumers prove themselves by a password as well as by name. Default `required`. */
  readonly chap?: "required" | "none" | undefined;
  /** Before the volume's id in the names of targets. Default `iqn.2025-11.io.breezeblock`. */
  readonly iqnPrefix?: string | undefined;
}

export const defaultIqnPrefix = "iqn.2025-11.io.breezeblock";
const defaultPort = 3260;

/** RFC 3720 allows names of 223 bytes; a colon and a UUID follow. */
const longestPrefix = 223 - 37;

export interface CheckedIscsiSettings {
  readonly portals: readonly Portal[];
  readonly auth: "chap" | "none";
  readonly iqnPrefix: string;
}

/**
 * Does no I/O, so that it can be asked at plan.
 *
 * @throws StorageError `InvalidConfiguration` with the attribute that cannot be
 */
export function checkIscsiSettings(settings: IscsiTargetSettings): CheckedIscsiSettings {
  const { chap = "required", iqnPrefix = defaultIqnPrefix } = settings;
  // One name that rtslib does not accept makes targetcli useless on the host, so this is its rule and the RFC's: a
  // reversed domain has two labels at least.
  if (!/^iqn\.\d{4}-(0[1-9]|1[0-2])(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?){2,}(:[a-z0-9.:-]+)?$/.test(iqnPrefix)) {
    throw refusedPrefix(
      `${JSON.stringify(iqnPrefix)} is not an iSCSI name: iqn, year and month, and a reversed domain, in lower case`,
    );
  }
  if (iqnPrefix.length > longestPrefix) throw refusedPrefix(`it is longer than ${longestPrefix} characters`);
  return {
    portals: parsePortals(settings.portals, defaultPort),
    auth: chap === "required" ? "chap" : "none",
    iqnPrefix,
  };
}

function refusedPrefix(reason: string): StorageError {
  return new StorageError({
    kind: "InvalidConfiguration",
    action: "use the target's iqn_prefix",
    reason,
    nextStep: `Leave it out for ${defaultIqnPrefix}.`,
    attribute: ["iqn_prefix"],
  });
}
