import { randomBytes, randomUUID } from "node:crypto";
import { Readable, Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newVolumeMetadata } from "../../src/drivers/lvm/metadata.ts";
import { formatTags } from "../../src/drivers/lvm/tags.ts";
import { labAvailability, useLab } from "../lab/use-lab.ts";
import { titled } from "../support/availability.ts";
import { newVolume } from "../support/file-backend.ts";
import { LvmGround, mebibyte } from "./ground.ts";

describe.skipIf(!labAvailability.available)(titled("limits of a volume group", labAvailability), () => {
  const lab = useLab({ consumers: 0 });
  let ground: LvmGround;
  beforeAll(() => {
    ground = new LvmGround(lab.current());
  });
  afterAll(() => ground?.host.close());

  const check = async (volumeGroup: string, thinPool: string | null) => {
    const { driver } = ground.withSettings({ volumeGroup, thinPool });
    await driver.checkForSetupError({ executor: ground.host });
  };

  it("are told by its check, in words that help", async () => {
    await expect(check("not-there", null)).rejects.toThrow(/Volume group "not-there" not found/);
    await expect(check("vg0", "not-there")).rejects.toThrow(/vg0\/not-there is not there/);
    await ground.sh("lvchange -qq --zero n vg0/pool0");
    await expect(check("vg0", "pool0")).rejects.toThrow(/lvchange --zero y vg0\/pool0/);
    await ground.sh("lvchange -qq --zero y vg0/pool0");
    await check("vg0", "pool0");
    await ground.sh("vgcreate -qq -y spare /dev/ubdc && vgexport -qq spare");
    await expect(check("spare", null)).rejects.toThrow(/vgimport spare/);
    await ground.sh("vgimport -qq spare && vgremove -qq -y spare");
  });

  it("are told when there is no room, by name and by number", async () => {
    const { backend } = ground;
    const whole = { provisioning: "thick", sizeBytes: 1024 ** 4 } as const;
    await expect(backend.create(whole)).rejects.toMatchObject({
      kind: "VolumeBackendError",
      reason: expect.stringContaining("insufficient free space"),
      nextStep: expect.stringContaining("vgextend"),
    });
    await expect(backend.create({ pool: "other" })).rejects.toMatchObject({
      kind: "InvalidInput",
      reason: expect.stringContaining('"pool0"'),
    });
    await expect(backend.create({ pool: "pool0", provisioning: "thick" })).rejects.toMatchObject({
      kind: "InvalidInput",
    });
    const thickOnly = ground.withSettings({ thinPool: null });
    await expect(thickOnly.create({ provisioning: "thin" })).rejects.toMatchObject({ kind: "NotSupported" });
    expect(await ground.ours()).toEqual([]);
  });

  it("let a thin pool be nearly full, and then take nothing new", async () => {
    await ground.sh(
      "vgcreate -qq -y small /dev/ubdc && lvcreate -qq -y --type thin-pool -L 64M -n pool small",
    );
    const small = ground.withSettings({ volumeGroup: "small", thinPool: "pool" });
    const volume = await small.create({ sizeBytes: 64 * mebibyte });
    await ground.fill(volume, "data", 62 * mebibyte);
    const another = small.create();
    await expect(another).rejects.toThrow(/the data of the thin pool small\/pool is .* full.*lvextend -L/);
    const stats = await small.driver.getVolumeStats({ executor: ground.host });
    expect(stats.pools?.[1]?.data_percent).toBeGreaterThan(95);
    await small.delete(volume);
    await small.delete(await small.create());
    await ground.sh("vgremove -qq -y small");
  });

  it("hold 1,000 ordinary volumes; more are refused with what helps, which does help", async () => {
    const big = ground.withSettings({ volumeGroup: "big", thinPool: null, volumeClear: "none" });
    await ground.sh("vgcreate -qq -y -s 1m big /dev/ubdc");
    await fillGroup("big", 1000);
    let commands = 0;
    const executor = {
      host: ground.host.host,
      run: (...args: Parameters<typeof ground.host.run>) => {
        commands += 1;
        return ground.host.run(...args);
      },
    };
    const { volumes, damaged } = await big.driver.inventory({ executor });
    expect([volumes.size, damaged.size, commands]).toEqual([1000, 0, 1]);
    const small = { provisioning: "thick", sizeBytes: mebibyte } as const;
    await big.delete(await big.create(small));
    await fillGroup("big", 1025);
    await expect(big.create(small)).rejects.toThrow(/metadata area .* is full.*pvcreate --metadatasize/);
    await ground.sh(`
      truncate -s 256M /var/tmp/disk && disk=$(losetup -f --show /var/tmp/disk) &&
      pvcreate -qq -y --metadatasize 64m "$disk" && vgextend -qq big "$disk" &&
      pvchange -qq -y --metadataignore y /dev/ubdc`);
    await big.delete(await big.create(small));
  });

  /** Makes that many volumes at once, in the way that LVM restores its metadata: one by one takes minutes. */
  async function fillGroup(group: string, count: number): Promise<void> {
    await ground.sh('vgcfgbackup -qq -f /var/tmp/layout "$1" >/dev/null', group);
    const layout = (await ground.sh("cat /var/tmp/layout")).replace(
      /\n\tlogical_volumes \{[\s\S]*\n\t\}\n/,
      "\n",
    );
    const volumes = Array.from({ length: count }, (_, index) => {
      const id = randomUUID();
      const name = `db-data-${String(index).padStart(4, "0")}`;
      const labels = { env: "prod", team: "storage" };
      const volume = newVolume({
        ...{ id, name, labels, defaultLabels: { managed_by: "terraform" }, settings: { labels } },
        createdAt: new Date(1_795_489_403_123 + index).toISOString(),
      });
      const tags = formatTags(newVolumeMetadata(volume, "acknowledged")).map((tag) => `"${tag}"`);
      return `bb-${id} {
id = "${lvmId()}"
status = ["READ", "WRITE", "VISIBLE"]
flags = []
tags = [${tags.join(", ")}]
creation_time = 1795489403
creation_host = "storage1"
segment_count = 1
segment1 {
start_extent = 0
extent_count = 1
type = "striped"
stripe_count = 1
stripes = ["pv0", ${index}]
}
}`;
    });
    const filled = layout.replace(/\}\s*\}\s*$/, `}\nlogical_volumes {\n${volumes.join("\n")}\n}\n}\n`);
    await ground.host.stream(["sh", "-c", "cat >/var/tmp/layout"], {
      stdin: Readable.from([filled]),
      stdout: new Writable({ write: (_chunk, _encoding, done) => done() }),
    });
    await ground.sh('vgcfgrestore -qq -f /var/tmp/layout "$1" >/dev/null', group);
  }
});

/** An identifier as LVM makes them. */
function lvmId(): string {
  return randomBytes(16)
    .toString("hex")
    .replace(/^(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})$/, "$1-$2-$3-$4-$5-$6-$7");
}
