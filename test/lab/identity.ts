import { createHash } from "node:crypto";

export type Role = "storage" | "consumer";

/** Who a guest is; everything about it follows from its name. */
export interface GuestIdentity {
  /** Host name, such as `storage1`. */
  readonly name: string;
  readonly role: Role;
  /** The last part of its addresses and MACs. */
  readonly number: number;
  /** 32 hex digits; also its NVMe host id. */
  readonly machineId: string;
  /** Its addresses on the two storage networks. */
  readonly storageAddresses: readonly [string, string];
  readonly initiator: string;
  readonly hostNqn: string;
}

/** The network that logins come by: `eth0` of each guest. */
export const managementNetwork = "10.0.2";

/** Networks between guests, by their first three parts: `eth1` and `eth2` of each guest. */
export const storageNetworks = ["192.168.77", "192.168.78"] as const;

const firstNumber: Readonly<Record<Role, number>> = { storage: 11, consumer: 21 };

/** The `index`th guest with this role, counted from 1. */
export function guestIdentity(role: Role, index: number): GuestIdentity {
  const name = `${role}${index}`;
  const number = firstNumber[role] + index - 1;
  const machineId = createHash("sha256").update(`breezeblock lab ${name}`).digest("hex").slice(0, 32);
  const uuid = machineId.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  const [first, second] = storageNetworks;
  return {
    name,
    role,
    number,
    machineId,
    storageAddresses: [`${first}.${number}`, `${second}.${number}`],
    initiator: `iqn.2024-01.test.lab:${name}`,
    hostNqn: `nqn.2014-08.org.nvmexpress:uuid:${uuid}`,
  };
}
