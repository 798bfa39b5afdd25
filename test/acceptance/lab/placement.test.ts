import { afterEach, describe, expect, test } from "vitest";
import { type ServedProvider, serveForTest } from "../../../providers/terraform/index.ts";
import { provider } from "../../../resources/index.ts";
import { labAvailability, useLab } from "../../lab/use-lab.ts";
import { titled } from "../../support/availability.ts";
import { findEngine } from "../../support/engines.ts";
import { TerraformWorkspace, terraformEngines } from "../../support/terraform.ts";

const engine = terraformEngines.find((candidate) => findEngine(candidate).available);

/** One each of what there is: a directory of 4 GiB, a thin pool of 5 GiB, and a volume group of 12 GiB for thick volumes. */
const backends = {
  files: {
    host: "storage",
    file: { directory: "/srv/volumes" },
    max_over_subscription_ratio: "8",
    goodness_function: "capabilities.total_volumes < 11 ? 40 : 0",
  },
  thick: {
    host: "storage",
    lvm: { volume_group: "vg1", volume_clear: "none" },
    reserved_percentage: 25,
    goodness_function: "100 - 9 * capabilities.total_volumes",
  },
  thin: {
    host: "storage",
    lvm: { volume_group: "vg0", thin_pool: "pool0" },
    reserved_percentage: 20,
    max_over_subscription_ratio: "10",
    goodness_function: "volume.size == 1 ? 25 : 0",
  },
};
type Name = keyof typeof backends;
const names = ["files", "thick", "thin"] as const;

/** What counts of a backend's pool. GiB. */
interface Stats {
  readonly total_capacity_gb: number;
  readonly free_capacity_gb: number;
  readonly provisioned_capacity_gb: number;
  readonly total_volumes: number;
}

/** What each could still promise after `added` volumes of 1 GiB, worked out from docs/scheduler.md. */
function roomOf(name: Name, stats: Stats, added: number): number {
  const { total_capacity_gb: total, free_capacity_gb: free } = stats;
  const provisioned = stats.provisioned_capacity_gb + added;
  if (name === "files") return total * 8 - provisioned;
  if (name === "thin") return (total - Math.floor(total * 0.2)) * 10 - provisioned;
  return Math.min(total - Math.floor(total * 0.25) - provisioned, free - added);
}

function goodnessOf(name: Name, stats: Stats, added: number): number {
  const volumes = stats.total_volumes + added;
  if (name === "files") return volumes < 11 ? 40 : 0;
  if (name === "thin") return 25;
  const goodness = 100 - 9 * volumes;
  return goodness < 0 ? 0 : goodness;
}

/** Where volumes of 1 GiB go, one after the other: where the sum of both weights, each from 0 to 1, is the greatest. */
function spread(stats: Readonly<Record<Name, Stats>>, count: number): Readonly<Record<Name, number>> {
  const placed = { files: 0, thick: 0, thin: 0 };
  for (let volume = 0; volume < count; volume += 1) {
    const fitting = names.filter((name) => roomOf(name, stats[name], placed[name]) >= 1);
    const rooms = fitting.map((name) => roomOf(name, stats[name], placed[name]));
    const goodness = fitting.map((name) => goodnessOf(name, stats[name], placed[name]));
    let best: Name | undefined;
    let greatest = -1;
    for (const [index, name] of fitting.entries()) {
      const weight = share(rooms, index) + share(goodness, index);
      if (weight > greatest) [best, greatest] = [name, weight];
    }
    if (best === undefined) throw new Error(`there is no room for volume ${volume}`);
    placed[best] += 1;
  }
  return placed;
}

function share(values: readonly number[], index: number): number {
  const least = Math.min(...values);
  const most = Math.max(...values);
  return most === least ? 0 : ((values[index] ?? least) - least) / (most - least);
}

const count = 50;

describe.skipIf(!labAvailability.available)(titled("three backends as one pool", labAvailability), () => {
  const lab = useLab({ consumers: 0 });
  let served: ServedProvider | undefined;
  afterEach(() => served?.close());

  test.skipIf(engine === undefined)(
    `${count} volumes without a backend go where capacity and goodness say, never more than there is room, and stay`,
    async () => {
      const [storage] = lab.current().storage;
      if (storage === undefined || engine === undefined) throw new Error("the lab has a storage host");
      await storage.run(`
        vgcreate -qq -y vg1 /dev/ubdc && lvcreate -qq -y -L 4G -n directory vg0 &&
        mkfs.ext4 -q -m 0 /dev/vg0/directory && mkdir -p /srv/volumes && mount /dev/vg0/directory /srv/volumes`);
      served = await serveForTest(provider, { log: () => undefined });
      const terraform = new TerraformWorkspace({ engine, provider: { reattach: served.reattach } });
      terraform.write(
        JSON.stringify({
          provider: {
            breezeblock: { owner: "acme/lab", hosts: { storage: storage.providerHost("storage") }, backends },
          },
        }),
        "provider.tf.json",
      );
      const there =
        'resource "breezeblock_volume" "there" {\n  name = "there"\n  size = 1\n  backend = "files"\n}\n';
      const volumes = (many: number) =>
        `${there}resource "breezeblock_volume" "v" {\n  count = ${many}\n  name = "v\${count.index}"\n  size = 1\n}\n`;
      const measured = async (): Promise<Readonly<Record<Name, Stats>>> => {
        await terraform.applied();
        const found = await terraform.attributes("data.breezeblock_backends.all");
        const all = found["backends"] as Record<Name, Stats & { readonly pools: Record<string, Stats> }>;
        const { vg1: thick, pool0: thin } = { ...all.thick.pools, ...all.thin.pools };
        if (thick === undefined || thin === undefined) throw new Error("both pools are there");
        return { files: all.files, thick, thin };
      };

      terraform.write(
        'resource "breezeblock_volume" "kept" {\n  name = "kept"\n  size = 1\n  backend = "thick"\n  deletion_policy = "snapshot"\n}\n',
      );
      const unkept = await terraform.plan();
      expect(unkept.exitCode).toBe(1);
      expect(unkept.text.replaceAll(/[\s│]+/g, " ")).toMatch(
        /snapshots of a thick volume do not outlive it.*deletion_policy = "retain"/,
      );

      // What is there already counts as well.
      terraform.write(there);
      await terraform.applied();
      terraform.write('data "breezeblock_backends" "all" {}\n', "stats.tf");
      const stats = await measured();
      terraform.write("", "stats.tf");
      const expected = spread(stats, count);
      expect(Math.min(...Object.values(expected))).toBeGreaterThan(2);

      const room = names.reduce((sum, name) => sum + Math.floor(roomOf(name, stats[name], 0)), 0);
      expect(room).toBeGreaterThan(count);
      terraform.write(volumes(room));
      expect((await terraform.plan()).exitCode).toBe(2);
      terraform.write(volumes(room + 1));
      const refused = await terraform.plan();
      expect(refused.exitCode).toBe(1);
      const reason = refused.text.slice(refused.text.indexOf("Error:"));
      expect(reason).toMatch(/Unable to create volume "v\d+" of 1 GiB.*It fits on none of the backends/s);
      for (const pool of ["files", "thick#vg1", "thin#pool0"])
        expect(reason).toContain(`- ${pool}: 1 GiB are needed, and 0`);
      expect(reason).toContain(`(${room} volumes, ${room} GiB)`);

      terraform.write(volumes(count));
      await terraform.applied();
      const made = (await terraform.state()).filter(({ name }) => name === "v");
      const found = { files: 0, thick: 0, thin: 0 };
      for (const { values } of made) found[values["backend"] as Name] += 1;
      expect(found).toEqual(expected);
      const listed = async (command: string) =>
        (await storage.run(command)).split("\n").filter((line) => /^ *bb-|\.raw$/.test(line)).length;
      expect({
        files: (await listed("ls /srv/volumes")) - 1,
        thick: await listed("lvs --noheadings -o lv_name vg1"),
        thin: await listed("lvs --noheadings -o lv_name -S pool_lv=pool0 vg0"),
      }).toEqual(expected);

      // Others fill what is left, and nothing moves or is to be changed.
      await storage.run("fallocate -l 3G /srv/volumes/theirs && lvcreate -qq -y -L 2G -n theirs vg1");
      await terraform.expectNoChanges();
      terraform.write('data "breezeblock_backends" "all" {}\n', "stats.tf");
      const after = await measured();
      for (const name of ["files", "thick"] as const)
        expect(after[name].provisioned_capacity_gb - stats[name].provisioned_capacity_gb).toBeGreaterThan(
          expected[name] + 1.9,
        );
    },
  );
});
