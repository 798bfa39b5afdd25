import { randomUUID } from "node:crypto";
import type { VolumeRecord } from "../../src/contract/index.ts";
import { newVolumeMetadata } from "../../src/drivers/lvm/metadata.ts";
import { logicalVolumeName } from "../../src/drivers/lvm/names.ts";
import { tagsOf } from "../../src/drivers/lvm/tags.ts";
import type { Guest } from "../lab/guest.ts";

/**
 * Adds `count` volumes like `model`, which must be thin, to the volume group's metadata at once: as many `lvcreate` would
 * take a guest longer than all else. They are not active, and listed all the same.
 */
export async function plantVolumes(storage: Guest, model: VolumeRecord, count: number): Promise<void> {
  const file = "/root/volume-group";
  const text = await storage.run(`vgcfgbackup -qq -f ${file} vg0 && cat ${file}`);
  const name = logicalVolumeName(model.id);
  const section = new RegExp(`\\n\\t\\t${name} \\{\\n.*?\\n\\t\\t\\}\\n`, "s").exec(text)?.[0];
  if (section === undefined) throw new Error(`The volume group's metadata has no ${name}.`);
  const copies = Array.from({ length: count }, (_, index) => {
    const id = randomUUID();
    const metadata = newVolumeMetadata({ ...model, id, name: `${model.name}-${index}` }, "acknowledged");
    const tags = tagsOf(metadata, "plant volumes").map((tag) => JSON.stringify(tag));
    return section
      .replace(name, logicalVolumeName(id))
      .replace(/\bid = ".*?"/, `id = "${lvmId(id)}"`)
      .replace(/\btags = \[.*?\]/s, () => `tags = [${tags.join(", ")}]`)
      .replace(/\bdevice_id = \d+/, `device_id = ${10_000 + index}`);
  });
  await storage.run(`cat >${file} && vgcfgrestore -qq -y --force -f ${file} vg0`, {
    input: text.replace(section, () => section + copies.join("")),
  });
}

/** A UUID as LVM writes its own: 32 letters and digits in groups. */
function lvmId(id: string): string {
  return id
    .replaceAll("-", "")
    .replace(/^(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})$/, "$1-$2-$3-$4-$5-$6-$7");
}
