import { strict as assert } from "node:assert";
import { randomUUID } from "node:crypto";
import type { Executor, Provisioning, VolumeRecord } from "../../../src/contract/index.ts";
import { unit } from "../session.ts";
import type { Storage } from "../subject.ts";

export interface FileStorageOptions {
  readonly format: "raw" | "qcow2";
  readonly provisioning: Provisioning;
}

/** `DIRECTORY NAME BYTES FORMAT PROVISIONING`; stdin: what it begins with. */
const plantScript = `
  raw=$(mktemp) && trap 'rm -f "$raw"' EXIT && cat >"$raw" && truncate -s "$3" "$raw" &&
  case $4.$5 in
    raw.thick) fallocate -l "$3" "$1/$2" && dd if="$raw" of="$1/$2" bs=1M conv=notrunc status=none ;;
    raw.thin) cp --sparse=always "$raw" "$1/$2" ;;
    qcow2.*) qemu-img convert -f raw -O qcow2 "$raw" "$1/$2" ;;
  esac`;

/** A directory of files on a host. */
export function fileStorage(executor: Executor, directory: string, options: FileStorageOptions): Storage {
  const { format, provisioning } = options;
  const sh = async (script: string, ...args: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await executor.run(["sh", "-c", script, "sh", directory, ...args]);
    assert.equal(exitCode, 0, stderr.toString());
    return stdout.toString().trim();
  };
  const lines = (text: string) => text.split("\n").filter((line) => line !== "");
  return {
    technology: { technology: "file", directory, format },
    impossible: { technology: "file", directory: "not/absolute", format },
    missing: {
      technology: { technology: "file", directory: `${directory}/not-there`, format },
      named: `${directory}/not-there`,
    },
    provisioning,
    traces: async (id) => lines(await sh('find "$1" -name "*$2*"', id)),
    async plantForeign() {
      await sh(`
        cd "$1" && mkdir somebody && echo precious >somebody/data && echo precious >photos.raw &&
        echo precious >volume-of-mine.raw && echo '{}' >volume-of-mine.json`);
      const foreign = '"$1"/somebody "$1"/photos.raw "$1"/volume-of-mine.*';
      return {
        fingerprint: () =>
          sh(`stat -c '%n %i %s %Y %a' ${foreign} && find ${foreign} -type f -exec sha256sum {} +`),
        remove: async () => void (await sh(`rm -r ${foreign}`)),
      };
    },
    async plantVolume(content) {
      const reference = `theirs-${randomUUID().slice(0, 8)}.img`;
      const sizeBytes = unit + 5 * 512;
      await executor.run(
        [
          ...["sh", "-c", plantScript, "sh", directory, reference, String(sizeBytes)],
          ...[format, provisioning],
        ],
        { stdin: content },
      );
      const stat = format === "raw" ? "%n %i %h %s %b %Y %a" : "%n %i %h %s %Y %a";
      return {
        reference,
        sizeBytes,
        content: () => sh('sha256sum "$1/$2"', reference),
        fingerprint: () => sh('stat -c "$3" "$1/$2" && sha256sum "$1/$2"', reference, stat),
        async hold() {
          const holder = await sh('exec 3<"$1/$2" && { sleep 600 >/dev/null 2>&1 & echo $!; }', reference);
          return async () =>
            void (await sh('kill "$2" && while kill -0 "$2" 2>/dev/null; do sleep 0.05; done', holder));
        },
        remove: async () => void (await sh('rm -f "$1/$2"', reference)),
      };
    },
    async disown(volume: VolumeRecord) {
      await sh('mv "$1/volume-$2.json" "$1/lost-metadata"', volume.id);
      return {
        isThere: async () => (await sh('[ ! -e "$2" ] || echo yes', volume.location)) === "yes",
        giveBack: async () => void (await sh('mv "$1/lost-metadata" "$1/volume-$2.json"', volume.id)),
      };
    },
  };
}
