import { StorageError } from "../../contract/index.ts";
import { type Portal, parsePortals } from "../configfs/portals.ts";

/** How volumes are exported by nvmet over TCP. */
export interface NvmetTargetSettings {
  /** Addresses of the storage host, as consumers reach them: `10.0.0.5:4420`, `[fd00::5]:4420`; the port may be left out. */
  readonly portals: readonly string[];
  /** Before the volume's id in the names of subsystems. Default `nqn.2025-11.io.breezeblock`. */
  readonly nqnPrefix?: string | undefined;
}

export const defaultNqnPrefix = "nqn.2025-11.io.breezeblock";
const defaultPort = 4420;

/** NVMe names have 223 bytes at most; a colon and a UUID follow. */
const longestPrefix = 223 - 37;

export interface CheckedNvmetSettings {
  readonly portals: readonly Portal[];
  readonly nqnPrefix: string;
}

/**
 * Does no I/O, so that it can be asked at plan.
 *
 * @throws StorageError `InvalidConfiguration` with the attribute that cannot be
 */
export function checkNvmetSettings(settings: NvmetTargetSettings): CheckedNvmetSettings {
  const { nqnPrefix = defaultNqnPrefix } = settings;
  if (!/^nqn\.\d{4}-(0[1-9]|1[0-2])(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+(:[A-Za-z0-9._:-]+)?$/.test(nqnPrefix)) {
    throw refusedPrefix(
      `${JSON.stringify(nqnPrefix)} is not an NVMe name: nqn, year and month, and a reversed domain`,
    );
  }
  if (nqnPrefix.length > longestPrefix) throw refusedPrefix(`it is longer than ${longestPrefix} characters`);
  return { portals: parsePortals(settings.portals, defaultPort), nqnPrefix };
}

function refusedPrefix(reason: string): StorageError {
  return new StorageError({
    kind: "InvalidConfiguration",
    action: "use the target's nqn_prefix",
    reason,
    nextStep: `Leave it out for ${defaultNqnPrefix}.`,
    attribute: ["nqn_prefix"],
  });
}
