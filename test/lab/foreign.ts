import { readFileSync } from "node:fs";
import type { Guest } from "./guest.ts";

/** What `plantForeign` makes: names that breezeblock must leave alone. */
export const foreign = {
  target: "iqn.2003-01.org.example.san:foreign",
  subsystem: "nqn.2014-08.org.example.san:foreign",
  /** The TCP port of the foreign NVMe subsystem; its iSCSI target is at the usual 3260. */
  nvmePort: 4421,
} as const;

const deadlineMs = 180_000;

/**
 * Makes storage that breezeblock did not make, in the ways of an administrator: on `storage` two volumes in
 * its volume group, one behind LIO, one behind nvmet; `consumer`, if given, has both connected and mounted below `/srv`, each with 1 MiB of random `data`.
 * All of it comes back after a reboot of either. Tests compare `listingOf` before and after.
 */
export async function plantForeign(storage: Guest, consumer?: Guest): Promise<void> {
  const [address] = storage.storageAddresses;
  const initiator = consumer?.initiator ?? "iqn.2003-01.org.example.client:foreign";
  await plant(storage, "storage", [address, initiator]);
  if (consumer !== undefined) await plant(consumer, "consumer", [address]);
}

async function plant(guest: Guest, role: "storage" | "consumer", args: readonly string[]): Promise<void> {
  const script = readFileSync(new URL(`foreign/${role}.sh`, import.meta.url), "utf8");
  const { target, subsystem, nvmePort } = foreign;
  await guest.run(["sh", "-s", "--", target, subsystem, nvmePort, ...args].join(" "), {
    input: script,
    timeoutMs: deadlineMs,
  });
}
