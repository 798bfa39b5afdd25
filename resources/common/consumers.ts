import type { Backend, Consumer } from "../../src/backend/index.ts";
import { type Connector, StorageError } from "../../src/contract/index.ts";
import type { HostSettings } from "../../src/ssh/index.ts";
import type { ConnectionConfig } from "../provider/attributes.ts";
import { inlineHostSettings } from "../provider/settings.ts";
import type { HookContext } from "../schema/index.ts";

/** Who uses a volume, as the user writes it; exactly one is set. */
export interface ConsumerReference {
  readonly host: string | null;
  readonly connection: ConnectionConfig | null;
  readonly connector: {
    readonly host: string | null;
    readonly initiator: string | null;
    readonly nqn: string | null;
    readonly ip: string | null;
  } | null;
}

/**
 * The machine that is logged in to; null where only access is granted.
 *
 * @throws StorageError `InvalidInput` for a host that the provider configuration does not have
 */
export function consumerOf(context: HookContext, reference: ConsumerReference): Consumer | null {
  const { host, connection } = reference;
  if (host !== null) return context.fleet.consumer(hostSettings(context, host, ["host"]));
  if (connection === null) return null;
  const { jump_host: jump } = connection;
  const jumpHost = jump === null ? undefined : hostSettings(context, jump, ["connection", "jump_host"]);
  return context.fleet.consumer(inlineHostSettings(connection, jumpHost));
}

/** What the consumer is called on the storage side; asks the machine itself where that is not written. */
export async function connectorOf(
  context: HookContext,
  backend: Backend,
  reference: ConsumerReference,
): Promise<Connector> {
  const { host, connector } = reference;
  if (connector !== null) {
    const { host, initiator, nqn, ip } = connector;
    return Object.fromEntries(
      Object.entries({ host, initiator, nqn, ip }).filter(([, value]) => value !== null),
    );
  }
  const { protocol } = backend.target;
  // What is used on its own host is known by what the configuration calls that host.
  if (protocol === "local" && host !== null) return { host };
  const consumer = consumerOf(context, reference);
  if (consumer === null) throw new Error("an attachment without a consumer: validate must have refused it");
  return consumer.properties(protocol);
}

function hostSettings(context: HookContext, name: string, attribute: readonly string[]): HostSettings {
  const { hosts } = context.fleet.settings;
  const settings = Object.hasOwn(hosts, name) ? hosts[name] : undefined;
  if (settings !== undefined) return settings;
  const names = Object.keys(hosts).map((host) => `"${host}"`);
  throw new StorageError({
    kind: "InvalidInput",
    action: `attach a volume on host "${name}"`,
    reason: `The provider configuration has no host of that name; it has ${names.join(", ") || "none"}`,
    attribute,
  });
}
