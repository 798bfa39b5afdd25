import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { openHost } from "../../src/ssh/index.ts";
import { titled } from "../support/availability.ts";
import { tempDirectory } from "../support/temp-directory.ts";
import { waitFor } from "../support/wait-for.ts";
import { attempt, execute } from "./execute.ts";
import type { Guest } from "./guest.ts";
import type { Lab, LabRecord } from "./lab.ts";
import { type Listing, listingOf } from "./listing.ts";
import { isAlive } from "./process-identity.ts";
import { labAvailability, useLab } from "./use-lab.ts";

describe.skipIf(!labAvailability.available)(titled("the lab", labAvailability), () => {
  describe("its guests", () => {
    const lab = useLab({ storage: 1, consumers: 2 });

    test("have names of their own and the time of day, and make different random numbers", async () => {
      const names = [
        "hostname",
        "cat /etc/machine-id",
        "cat /etc/nvme/hostnqn",
        "cat /etc/iscsi/initiatorname.iscsi",
      ];
      const command = [...names, "cat /proc/sys/kernel/random/uuid", "cat /sys/class/net/eth1/address"].join(
        "; ",
      );
      const seen = await Promise.all(lab.current().guests.map((guest) => guest.run(command)));
      const lines = seen.flatMap((text) => text.trim().split("\n"));
      expect(new Set(lines).size).toBe(lines.length);
      const [{ initiator, hostNqn }] = pair(lab.current()).reverse() as [Guest, Guest];
      expect(seen[1]).toContain(`InitiatorName=${initiator}`);
      expect(seen[1]).toContain(hostNqn);
      const before = Date.now();
      const time = Number(await pair(lab.current())[0].run("date +%s%3N"));
      expect(Math.abs(time - before)).toBeLessThan(60_000);
    });

    test("are reached by the product's own SSH, as root and as a user with sudo", async () => {
      const [storage] = pair(lab.current());
      for (const user of ["root", "storage"] as const) {
        const host = openHost(storage.settings(user));
        onTestFinished(() => host.close());
        const { stdout } = await host.run(["vgs", "--noheadings", "-o", "vg_name"]);
        expect(stdout.toString().trim()).toBe("vg0");
      }
    });

    test("see each other on both networks, and a cut one is silent", async () => {
      const [storage, consumer] = pair(lab.current());
      const other = lab.current().consumers[1];
      const reaches = async (address: string, seconds: number) =>
        (await consumer.attempt(`ping -c 1 -W ${seconds} ${address}`)).status === 0;
      const [first, second] = storage.storageAddresses;
      for (const address of [first, second, ...(other?.storageAddresses ?? [])]) {
        expect(await reaches(address, 20)).toBe(true);
      }
      await storage.cut(0);
      expect(await reaches(first, 1)).toBe(false);
      expect(await reaches(second, 20)).toBe(true);
      await storage.restore(0);
      expect(await reaches(first, 20)).toBe(true);
    });

    test("lose what was not flushed when the power is cut, and keep the rest", async () => {
      const [, consumer] = pair(lab.current());
      await consumer.run("echo kept >/root/kept; sync; echo lost >/root/lost");
      await consumer.powerOff();
      await consumer.powerOn();
      expect((await consumer.run("cat /root/*")).trim()).toBe("kept");
    });

    test("are as new after a reset", async () => {
      const [storage] = pair(lab.current());
      const before = await listingOf(storage);
      await storage.run("lvcreate -qq -y -L 16M -n left-over vg0");
      expect(await listingOf(storage)).not.toEqual(before);
      await lab.current().reset([storage.name]);
      const [fresh, consumer] = pair(lab.current());
      expect(withoutUuids(await listingOf(fresh))).toEqual(withoutUuids(before));
      await consumer.run(`ping -c 1 -W 20 ${fresh.storageAddresses[0]}`);
    });
  });

  test("its guests end when their starter is killed", async () => {
    const starter = spawn(process.execPath, [fileURLToPath(new URL("starter-main.ts", import.meta.url))], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => {
      starter.kill("SIGKILL");
    });
    const [line] = (await once(createInterface({ input: starter.stdout }), "line")) as [string];
    const record = JSON.parse(line) as LabRecord;
    expect(processesOf(record).every(isAlive)).toBe(true);
    starter.kill("SIGKILL");
    await waitFor("The end of all guests", () => !processesOf(record).some(isAlive));
  });

  test("goes up, tells how to reach its hosts, and leaves nothing after it goes down", async () => {
    const env = { ...process.env, XDG_STATE_HOME: tempDirectory() };
    const command = fileURLToPath(new URL("cli.ts", import.meta.url));
    const lab = (...args: string[]) => execute(process.execPath, [command, ...args], { env });
    onTestFinished(async () => {
      await lab("down");
    });
    await lab("up");
    const [storage, consumer] = JSON.parse(await lab("status", "--json")) as Record<string, unknown>[];
    expect(storage).toMatchObject({
      name: "storage1",
      role: "storage",
      user: "root",
      storage_address: "192.168.77.11",
      volume_group: "vg0",
      thin_pool: "pool0",
      portals: { iscsi: ["192.168.77.11:3260", "192.168.78.11:3260"] },
    });
    expect(consumer).toMatchObject({ name: "consumer1", role: "consumer", storage_address: "192.168.77.21" });
    const port = storage?.["port"];
    expect((await lab("ssh", "storage1", "hostname")).trim()).toBe("storage1");
    await lab("reset", "storage1");
    expect((JSON.parse(await lab("status", "--json")) as Record<string, unknown>[])[0]).toMatchObject({
      port,
    });
    const again = await attempt(process.execPath, [command, "up"], { env });
    expect(again).toMatchObject({ status: 2, stderr: expect.stringContaining("up already") });

    const recordFile = join(env.XDG_STATE_HOME, "breezeblock-lab/running.json");
    const { directory } = JSON.parse(readFileSync(recordFile, "utf8")) as LabRecord;
    const runningIn = async () => (await attempt("pgrep", ["-f", directory])).stdout;
    const forwarders = async () => (await attempt("pgrep", ["-f", `TCP-LISTEN:${port},`])).stdout;
    expect(await runningIn()).not.toBe("");
    expect(await forwarders()).not.toBe("");
    await lab("down");
    expect(await runningIn()).toBe("");
    expect(await forwarders()).toBe("");
    expect(existsSync(directory)).toBe(false);
    expect(JSON.parse(await lab("status", "--json"))).toEqual([]);
  });
});

/** Each storage host makes its volume group itself, and LVM gives each a UUID of its own. */
function withoutUuids(listing: Listing): Listing {
  const uuid = /\|(\w{6}-(\w{4}-){5}\w{6})\|/g;
  return Object.fromEntries(
    Object.entries(listing).map(([section, lines]) => [
      section,
      lines.map((line) => line.replace(uuid, "||")),
    ]),
  );
}

function pair(lab: Lab): [storage: Guest, consumer: Guest] {
  const [storage] = lab.storage;
  const [consumer] = lab.consumers;
  if (storage === undefined || consumer === undefined) throw new Error("The lab lacks a host.");
  return [storage, consumer];
}

function processesOf({ network, guests }: LabRecord) {
  return [network.process, ...guests.flatMap((guest) => [guest.process, guest.forwarder])].filter(
    (process) => process !== undefined,
  );
}
