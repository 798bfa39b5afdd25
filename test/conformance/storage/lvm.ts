import { strict as assert } from "node:assert";
import { randomUUID } from "node:crypto";
import type { Executor, VolumeRecord } from "../../../src/contract/index.ts";
import type { Storage } from "../subject.ts";

export interface LvmStorageOptions {
  readonly volumeGroup: string;
  /** `null`: volumes are thick. */
  readonly thinPool: string | null;
}

/** A volume group on a host, with or without a thin pool in it. */
export function lvmStorage(executor: Executor, { volumeGroup, thinPool }: LvmStorageOptions): Storage {
  const sh = async (script: string, ...args: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await executor.run([
      "sh",
      "-c",
      `LVM_SUPPRESS_FD_WARNINGS=1; export LVM_SUPPRESS_FD_WARNINGS; ${script}`,
      "sh",
      volumeGroup,
      ...args,
    ]);
    assert.equal(exitCode, 0, stderr.toString());
    return stdout.toString().trim();
  };
  const settings = { technology: "lvm", volumeGroup, thinPool, volumeClear: "zero" } as const;
  const freeSpaceHolds = async (text: string, bytes: number): Promise<boolean> => {
    const found = await sh(
      `
      lvcreate -q -y -W n -Z n -L "$2b" -n conformance-probe "$1" >&2 || exit
      found=$(tr '\\0' '\\n' <"/dev/$1/conformance-probe" | grep -c -a -m 1 -F "$3")
      lvremove -q -y "$1/conformance-probe" >&2 && echo "$found"`,
      String(bytes),
      text,
    );
    return Number.parseInt(found, 10) > 0;
  };
  return {
    technology: settings,
    impossible: { ...settings, volumeGroup: "no such/name" },
    missing: { technology: { ...settings, volumeGroup: "vg-not-there" }, named: "vg-not-there" },
    provisioning: thinPool === null ? "thick" : "thin",
    async traces(id) {
      const all = await sh(
        `
        lvs --noheadings --all -o lv_name,lv_tags "$1"
        find /dev/mapper /var/lib/breezeblock -name "*$2*" 2>/dev/null || :`,
        id,
      );
      // The device mapper writes each hyphen of a name twice.
      const names = [id, id.replaceAll("-", "--")];
      return all.split("\n").filter((line) => names.some((name) => line.includes(name)));
    },
    ...(thinPool === null ? { clearing: { careless: { volume_clear: "none" }, freeSpaceHolds } } : {}),
    async plantForeign() {
      const ours = `bb-${randomUUID()}`;
      await sh(
        `
        lvcreate -q -y -l 2 -n theirs "$1" && echo precious >"/dev/$1/theirs" &&
        lvcreate -q -y -l 2 -n "$2" --addtag their-tag "$1" && echo precious >"/dev/$1/$2" &&
        if [ -n "$3" ]; then
          lvcreate -q -y -V 8M --thinpool "$3" -n theirs-thin "$1" && lvcreate -q -s -n theirs-snapshot "$1/theirs-thin"
        fi >&2`,
        ours,
        thinPool ?? "",
      );
      return {
        fingerprint: () =>
          sh(
            `
            lvs --noheadings -o lv_name,lv_uuid,lv_attr,lv_size,lv_tags,origin,seg_pe_ranges \
              -S "lv_name=~^theirs || lv_name=$2" "$1" && sha256sum "/dev/$1/theirs" "/dev/$1/$2"`,
            ours,
          ),
        remove: async () =>
          void (await sh('lvremove -q -y -S "lv_name=~^theirs || lv_name=$2" "$1" >&2', ours)),
      };
    },
    async plantVolume(content) {
      const name = `theirs-${randomUUID().slice(0, 8)}`;
      const sizeBytes = 36 * 1024 ** 2;
      const place = `${volumeGroup}/${name}`;
      const shape =
        thinPool === null
          ? ["-W", "y", "-L", `${sizeBytes}b`]
          : ["-W", "n", "-V", `${sizeBytes}b`, "--thinpool", thinPool];
      const plant = ["lvcreate", "-q", "-y", "--addtag", "their-tag", ...shape, "-n", name, volumeGroup];
      await executor.run(plant);
      const device = `/dev/${place}`;
      await executor.run(["dd", `of=${device}`, "conv=notrunc,fsync", "status=none"], { stdin: content });
      return {
        reference: place,
        sizeBytes,
        content: () => sh('sha256sum "$2"', device),
        fingerprint: () =>
          sh(
            'lvs --noheadings -o lv_name,lv_uuid,lv_attr,lv_size,lv_tags,origin "$2" && sha256sum "/dev/$2"',
            place,
          ),
        async hold() {
          const holder = await sh('exec 3<"$2" && { sleep 600 >/dev/null 2>&1 & echo $!; }', device);
          return async () =>
            void (await sh('kill "$2" && while kill -0 "$2" 2>/dev/null; do sleep 0.05; done', holder));
        },
        remove: async () => void (await sh('lvremove -q -y -S "lv_name=$2" "$1" >&2', name)),
      };
    },
    async disown({ location }: VolumeRecord) {
      const name = location.replace("/dev/", "");
      const tags = (await sh('lvs --noheadings -o lv_tags "$2"', name)).split(",");
      const each = (option: string) => tags.flatMap((tag) => [option, tag]);
      await executor.run(["lvchange", "-q", ...each("--deltag"), name]);
      return {
        isThere: async () => (await sh('lvs --noheadings -o lv_name "$2" 2>&1 || :', name)).startsWith("bb-"),
        async giveBack() {
          await executor.run(["lvchange", "-q", ...each("--addtag"), name]);
        },
      };
    },
  };
}
