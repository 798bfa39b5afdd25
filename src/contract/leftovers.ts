import type { LockedContext, VolumeDriver } from "./driver.ts";

/** What a killed run left on the storage beside volumes and snapshots. */
export interface Leftover {
  /** `helper`: a logical volume that an object needed for a while. `file`: metadata, or half-made data, of an object. */
  readonly kind: "helper" | "file";
  /** Unique on the backend; the technology's own name for it. */
  readonly name: string;
  /** The object that it was made for, which may be there or gone. */
  readonly objectId: string;
  /** As its own mark says; `null` where it has none. */
  readonly owner: string | null;
  /** When it was made or last written, in milliseconds since 1970 by the host's clock; `null` where nothing tells. */
  readonly writtenAt: number | null;
  /** What it is, in words: `space that a volume was to grow onto`. */
  readonly description: string;
}

/** Tells what killed runs left, and takes it away. */
export interface KeepsLeftovers {
  /** Everything that was left, whoever left it, with one command at most. */
  leftovers(context: LockedContext): Promise<readonly Leftover[]>;
  /**
   * Removes it, if it still has the same owner. What the driver sweeps up with every change anyway may go with it.
   * Already gone is success.
   */
  removeLeftover(leftover: Leftover, context: LockedContext): Promise<void>;
}

export function keepsLeftovers(driver: VolumeDriver): driver is VolumeDriver & KeepsLeftovers {
  return "removeLeftover" in driver;
}
