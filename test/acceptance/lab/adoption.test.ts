import { afterEach, describe, expect, test } from "vitest";
import { type ServedProvider, serveForTest } from "../../../providers/terraform/index.ts";
import { provider } from "../../../resources/index.ts";
import { labAvailability, useLab } from "../../lab/use-lab.ts";
import { titled } from "../../support/availability.ts";
import { findEngine } from "../../support/engines.ts";
import { supportsIdentity, TerraformWorkspace, terraformEngines } from "../../support/terraform.ts";

const available = terraformEngines.filter((engine) => findEngine(engine).available);
/** One that knows every form of import, where there is any. */
const engine = available.find(supportsIdentity) ?? available[0];

const names = ["old-a", "old-b", "old-c"] as const;

describe.skipIf(!labAvailability.available)(
  titled("logical volumes that others made", labAvailability),
  () => {
    const lab = useLab({ consumers: 0 });
    let served: ServedProvider | undefined;
    afterEach(() => served?.close());

    test.skipIf(engine === undefined)(
      "with data and of odd sizes: imported in each form, claimed alone, used, and given back as they were found",
      async () => {
        const [storage] = lab.current().storage;
        if (storage === undefined || engine === undefined) throw new Error("the lab has a storage host");
        served = await serveForTest(provider, { log: () => undefined });
        const terraform = new TerraformWorkspace({ engine, provider: { reattach: served.reattach } });
        terraform.write(
          JSON.stringify({
            provider: {
              breezeblock: {
                owner: "acme/lab",
                hosts: { storage: storage.providerHost("storage") },
                backends: { fast: { host: "storage", lvm: { volume_group: "vg0", thin_pool: "pool0" } } },
              },
            },
          }),
          "provider.tf.json",
        );
        await storage.run(`
        lvcreate -qq -y -L 36M -n old-a vg0 && mkfs.ext4 -q /dev/vg0/old-a &&
        lvcreate -qq -y -V 20M --thinpool pool0 -n old-b vg0 && lvcreate -qq -y -L 12M --addtag their-tag -n old-c vg0 &&
        for name in old-b old-c; do
          yes "precious $name" | head -c 12M | dd of=/dev/vg0/$name bs=1M iflag=fullblock conv=fsync status=none || exit
        done`);
        const found = () =>
          storage.run(
            "lvs --noheadings -o lv_name,lv_uuid,lv_attr,lv_size,lv_tags,seg_pe_ranges -S 'lv_name=~^old-' vg0 && sha256sum /dev/vg0/old-*",
          );
        const contents = () => storage.run("sha256sum /dev/vg0/old-*");

        // In use, it is neither safe nor taken.
        await storage.run("mkdir -p /srv/theirs && mount /dev/vg0/old-a /srv/theirs");
        const configuration = (more: string) =>
          names
            .map(
              (name) =>
                `resource "breezeblock_volume" "${name}" {\n  name = "${name}"\n  size = 1\n  backend = "fast"\n  ${more}\n}\n`,
            )
            .join("");
        terraform.write(configuration(""));
        const refused = await terraform.import("breezeblock_volume.old-a", "fast/existing:vg0/old-a");
        expect(refused.exitCode).toBe(1);
        expect(refused.text).toContain("It is mounted at /srv/theirs");
        await storage.run("umount /srv/theirs");
        const before = await found();

        terraform.write('data "breezeblock_volumes" "all" {\n  backend = "fast"\n}\n');
        await terraform.applied();
        const { volumes } = (await terraform.attributes("data.breezeblock_volumes.all")) as {
          volumes: readonly Readonly<Record<string, unknown>>[];
        };
        const idOf = (reference: string) =>
          String(volumes.find((volume) => volume["reference"] === reference)?.["id"]);
        expect(volumes.find(({ reference }) => reference === "vg0/pool0")).toMatchObject({
          reason_not_safe: "is a thin pool",
        });

        terraform.write(configuration(""));
        const imported = await terraform.import("breezeblock_volume.old-a", "fast/existing:vg0/old-a");
        expect(imported.exitCode, imported.text).toBe(0);
        const identity = supportsIdentity(engine)
          ? `identity = {\n    backend = "fast"\n    uuid = "${idOf("vg0/old-c").slice("fast/".length)}"\n  }`
          : `id = "${idOf("vg0/old-c")}"`;
        terraform.write(
          `import {\n  to = breezeblock_volume.old-b\n  id = "fast/existing:vg0/old-b"\n}\nimport {\n  to = breezeblock_volume.old-c\n  ${identity}\n}\n`,
          "imports.tf",
        );
        const { resource_changes: planned = [] } = await terraform.planned();
        for (const { address, change } of planned) {
          const { claimed, ...rest } = change.before ?? {};
          expect({ address, claimed, actions: change.actions, after: change.after }).toEqual({
            address,
            claimed: false,
            actions: ["update"],
            after: { ...rest, claimed: true },
          });
        }
        expect(planned.length).toBe(names.length);
        // Nothing is written before the apply, and then nothing but tags.
        expect(await found()).toBe(before);
        const content = await contents();
        await terraform.applied();
        expect(await contents()).toBe(content);
        await terraform.expectNoChanges();
        expect(await terraform.attributes("breezeblock_volume.old-c")).toMatchObject({
          id: idOf("vg0/old-c"),
          size_bytes: 12 * 2 ** 20,
          provisioning: "thick",
          device_path: "/dev/vg0/old-c",
        });
        // What exports and attachments use.
        await storage.run(`
        for name in old-a old-b old-c; do
          uuids=$(lvs --noheadings -o vg_uuid,lv_uuid vg0/$name | tr -d ' -')
          [ "/dev/disk/by-id/dm-uuid-LVM-$uuids" -ef "/dev/vg0/$name" ] || exit 1
        done`);

        terraform.write(configuration('deletion_policy = "retain"'));
        await terraform.applied();
        expect((await storage.run("lvs --noheadings -o lv_tags vg0/old-c")).trim()).toMatch(
          /bb\.e=1.*their-tag/,
        );
        await terraform.destroyed();
        expect(await found()).toBe(before);
        await storage.run("lvremove -qq -y vg0/old-a vg0/old-b vg0/old-c");
      },
      900_000,
    );
  },
);
