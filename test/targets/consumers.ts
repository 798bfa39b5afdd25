import type { ConnectionCredentials, ConnectionInfo } from "../../src/contract/index.ts";
import type { Executed } from "../lab/execute.ts";
import type { Guest } from "../lab/guest.ts";

/** What an administrator types on a consumer, apart from the product's own connectors. */

/** Exit codes of `iscsiadm` that say that a login was refused. */
export const iscsiLoginRefused = 24;

/** Logs in at every portal. What is sent to a session that ended is an I/O error after a second. */
export async function iscsiLogin(
  consumer: Guest,
  connection: ConnectionInfo,
  credentials: ConnectionCredentials | null,
): Promise<Executed> {
  const settings: Record<string, string | number> = {
    "node.session.timeo.replacement_timeout": 1,
    "node.session.initial_login_retry_max": 1,
    "node.session.auth.authmethod": credentials === null ? "None" : "CHAP",
    ...(credentials !== null && {
      "node.session.auth.username": credentials.username,
      "node.session.auth.password": credentials.password,
    }),
  };
  const target = text(connection, "target_iqn");
  const portals = connection.data["target_portals"] as readonly string[];
  const lines = portals.flatMap((portal) => {
    const node = `iscsiadm -m node -T ${target} -p ${portal}`;
    return [
      `${node} -o new >/dev/null`,
      ...Object.entries(settings).map(([name, value]) => `${node} -o update -n ${name} -v ${value}`),
      `${node} --login >/dev/null`,
    ];
  });
  return consumer.attempt(`set -e; ${lines.join("; ")}; udevadm settle`);
}

export async function iscsiLogout(consumer: Guest, connection: ConnectionInfo): Promise<void> {
  const target = text(connection, "target_iqn");
  await consumer.attempt(`iscsiadm -m node -T ${target} --logout; iscsiadm -m node -T ${target} -o delete`);
}

/** Connects at every portal. A controller that is lost is given up after a few seconds. */
export async function nvmeConnect(consumer: Guest, connection: ConnectionInfo): Promise<Executed> {
  const portals = connection.data["target_portals"] as readonly string[];
  const lines = portals.map((portal) => {
    const [address, service] = portal.split(":");
    const timeouts = "--reconnect-delay=1 --ctrl-loss-tmo=4";
    return `nvme connect -t tcp -a ${address} -s ${service} -n ${text(connection, "target_nqn")} ${timeouts}`;
  });
  return consumer.attempt(`set -e; ${lines.join("; ")}; udevadm settle`);
}

export async function nvmeDisconnect(consumer: Guest, connection: ConnectionInfo): Promise<void> {
  await consumer.attempt(`nvme disconnect -n ${text(connection, "target_nqn")}`);
}

/** Overwrites the device's first bytes, past every cache of the consumer's. */
export async function writeText(
  consumer: Guest,
  connection: ConnectionInfo,
  written: string,
): Promise<Executed> {
  return consumer.attempt(
    `dd of=${deviceOf(connection)} bs=4096 count=1 conv=sync oflag=direct iflag=fullblock`,
    {
      input: written,
    },
  );
}

/** The device's first line; fails where it cannot be read. */
export async function readText(consumer: Guest, connection: ConnectionInfo): Promise<string> {
  const read = `dd if=${deviceOf(connection)} bs=4096 count=1 iflag=direct status=none | tr -d '\\0'`;
  return consumer.run(`set -o pipefail; ${read}`);
}

export async function deviceSize(consumer: Guest, connection: ConnectionInfo): Promise<number> {
  return Number(await consumer.run(`blockdev --getsize64 ${deviceOf(connection)}`));
}

export function deviceOf(connection: ConnectionInfo): string {
  return `/dev/disk/by-id/${text(connection, "by_id")}`;
}

function text(connection: ConnectionInfo, key: string): string {
  return String(connection.data[key]);
}
