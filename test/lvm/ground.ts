import type { VolumeRecord } from "../../src/contract/index.ts";
import type { LvmDriverSettings } from "../../src/drivers/lvm/index.ts";
import { type CountedHost, openHost } from "../../src/ssh/index.ts";
import type { Lab } from "../lab/lab.ts";
import { LvmBackend } from "../support/lvm-backend.ts";

export const mebibyte = 1024 ** 2;

/** A storage host of the lab as the LVM driver sees it; `vg0` with the thin pool `pool0`. */
export class LvmGround {
  readonly host: CountedHost;
  readonly backend: LvmBackend;

  constructor(lab: Lab) {
    const [storage] = lab.storage;
    if (storage === undefined) throw new Error("The lab has no storage host.");
    this.host = openHost(storage.settings());
    this.backend = this.withSettings({});
  }

  withSettings(settings: Partial<LvmDriverSettings>): LvmBackend {
    return new LvmBackend(this.host, { thinPool: "pool0", ...settings });
  }

  /** Runs a line on the host, beside the driver. */
  sh(script: string, ...args: readonly string[]): Promise<string> {
    return this.backend.sh(`LVM_SUPPRESS_FD_WARNINGS=1; export LVM_SUPPRESS_FD_WARNINGS; ${script}`, ...args);
  }

  /** Writes `text`, again and again, over `bytes` from `offset` on, past every cache. */
  async fill(
    { location }: { readonly location: string },
    text: string,
    bytes: number,
    offset = 0,
  ): Promise<void> {
    await this.sh(
      `yes "$2" | dd of="$1" bs=1M iflag=fullblock,count_bytes count="$3" oflag=seek_bytes,direct seek="$4" \
        conv=notrunc,nocreat status=none`,
      ...[location, text, String(bytes), String(offset)],
    );
  }

  /** How many of the bytes are other than zero. */
  async filledBytes(device: string, offset = 0, bytes?: number): Promise<number> {
    const count = bytes === undefined ? "" : `count=${bytes}`;
    const printed = await this.sh(
      `dd if="$1" bs=1M iflag=skip_bytes,count_bytes,direct skip="$2" $3 status=none | tr -d '\\0' | wc -c`,
      ...[device, String(offset), count],
    );
    return Number(printed);
  }

  async text({ location }: Pick<VolumeRecord, "location">, length: number, offset = 0): Promise<string> {
    return this.sh(
      'dd if="$1" bs=4096 iflag=skip_bytes,count_bytes skip="$2" count="$3" status=none',
      ...[location, String(offset), String(length)],
    );
  }

  /** Where a logical volume's extents are: `/dev/ubdb:1280-1295`. */
  async ranges(name: string): Promise<string> {
    return (await this.sh('lvs --noheadings --segments -o seg_pe_ranges "$1"', name)).trim();
  }

  /** The same as a place on the disk itself, of a logical volume with one segment. */
  async place(
    name: string,
  ): Promise<{ readonly device: string; readonly offset: number; readonly bytes: number }> {
    const [device, first, last] = (await this.ranges(name)).split(/[:-]/);
    const [start, size] = (
      await this.sh("pvs --noheadings --nosuffix --units b -o pe_start,vg_extent_size -S vg_name=vg0")
    )
      .trim()
      .split(/\s+/)
      .map(Number);
    if (device === undefined || start === undefined || size === undefined) throw new Error("no such place");
    return {
      device,
      offset: start + Number(first) * size,
      bytes: (Number(last) - Number(first) + 1) * size,
    };
  }

  /** Names of the logical volumes that are ours. */
  async ours(): Promise<readonly string[]> {
    const printed = await this.sh("lvs --noheadings -o lv_name -S 'lv_name=~^bb-' vg0");
    return printed.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
  }

  async lockIsFree(): Promise<boolean> {
    return (await this.sh('flock -n "$1" echo free || :', this.backend.driver.lockFile)).trim() === "free";
  }
}

/** A volume's name as LVM's commands take it. */
export function lvmName({ location }: Pick<VolumeRecord, "location">): string {
  return location.slice("/dev/".length);
}
