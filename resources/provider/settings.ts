import { posix } from "node:path";
import type {
  BackendSettings,
  ExportSettings,
  FleetSettings,
  PlacementSettings,
  TechnologySettings,
} from "../../src/backend/index.ts";
import { type AttributePath, bytesPerGib, isStorageError } from "../../src/contract/index.ts";
import { ExpressionError, parseExpression } from "../../src/scheduler/index.ts";
import type { Become, HostAuth, HostKeyPolicy, HostSettings } from "../../src/ssh/index.ts";
import { checkIscsiSettings } from "../../src/targets/iscsi/index.ts";
import { checkNvmetSettings } from "../../src/targets/nvmet/index.ts";
import { type Diagnostic, errorAt } from "../schema/index.ts";
import type { BackendConfig, ConnectionConfig, HostConfig, ProviderConfig } from "./attributes.ts";

export interface SettingsResult {
  readonly settings: FleetSettings;
  readonly diagnostics: readonly Diagnostic[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Lays `over` on `base`: single settings replace, hosts, backends and default labels merge entry by entry. */
export function mergeConfigs(base: ProviderConfig, over: ProviderConfig): ProviderConfig {
  return {
    owner: over.owner ?? base.owner,
    config_file: over.config_file ?? base.config_file,
    hosts: { ...base.hosts, ...over.hosts },
    backends: { ...base.backends, ...over.backends },
    default_labels: { ...base.default_labels, ...over.default_labels },
    deletion_protection: over.deletion_protection ?? base.deletion_protection,
  };
}

/** Turns a checked configuration into the fleet's settings; complains of everything that only the whole shows. */
export function toSettings(
  config: ProviderConfig,
  environment: Environment,
  defaultOwner = "",
): SettingsResult {
  const hosts = config.hosts ?? {};
  const backends = config.backends ?? {};
  const diagnostics = [
    ...Object.entries(hosts).flatMap(([name, host]) => checkHost(name, host, hosts)),
    ...Object.entries(backends).flatMap(([name, backend]) => checkBackend(name, backend, config)),
  ];
  return {
    diagnostics,
    settings: {
      owner: config.owner ?? (environment["BREEZEBLOCK_OWNER"] || defaultOwner),
      defaultLabels: config.default_labels ?? {},
      deletionProtection: config.deletion_protection ?? false,
      hosts: diagnostics.length > 0 ? {} : mapEntries(hosts, (name) => toHost(name, hosts, environment)),
      backends: diagnostics.length > 0 ? [] : Object.entries(backends).map(toBackend),
    },
  };
}

function checkHost(
  name: string,
  host: HostConfig,
  hosts: Readonly<Record<string, HostConfig>>,
): Diagnostic[] {
  const at = ["hosts", name];
  const found: Diagnostic[] = [];
  const hostKeyWays = [
    host.host_key !== null || host.host_keys !== null,
    host.known_hosts_file !== null,
    host.insecure_accept_any_host_key === true,
  ];
  if (hostKeyWays.filter(Boolean).length > 1) {
    found.push(
      errorAt(
        at,
        `Conflicting host key settings of host "${name}"`,
        "Give one of host_key (or host_keys), known_hosts_file and insecure_accept_any_host_key.",
      ),
    );
  }
  if (host.private_key !== null && host.private_key_file !== null) {
    found.push(
      errorAt(
        [...at, "private_key"],
        `Conflicting keys of host "${name}"`,
        "Give private_key or private_key_file, not both.",
      ),
    );
  }
  if (host.become_password !== null && host.become !== "sudo") {
    found.push(
      errorAt(
        [...at, "become_password"],
        `Unused become_password of host "${name}"`,
        'A password for becoming root works with become = "sudo" only; doas needs a nopass rule.',
      ),
    );
  }
  found.push(...checkJumps(name, host, hosts, [...at, "jump_host"]));
  return found;
}

function checkJumps(
  name: string,
  host: HostConfig,
  hosts: Readonly<Record<string, HostConfig>>,
  at: AttributePath,
): Diagnostic[] {
  const seen = new Set([name]);
  for (let jump = host.jump_host; jump !== null; ) {
    const next: HostConfig | undefined = hosts[jump];
    if (next === undefined) {
      return [
        errorAt(
          at,
          `Unknown jump_host of host "${name}"`,
          `There is no "${jump}" in hosts; there are: ${listNames(hosts)}.`,
        ),
      ];
    }
    if (seen.has(jump)) {
      return [errorAt(at, `Circular jump_host of host "${name}"`, `The way leads through "${jump}" again.`)];
    }
    seen.add(jump);
    jump = next.jump_host;
  }
  return [];
}

function checkBackend(name: string, backend: BackendConfig, config: ProviderConfig): Diagnostic[] {
  const at = ["backends", name];
  const hosts = config.hosts ?? {};
  const found: Diagnostic[] = [];
  if (!Object.hasOwn(hosts, backend.host)) {
    found.push(
      errorAt(
        [...at, "host"],
        `Unknown host of backend "${name}"`,
        `There is no "${backend.host}" in hosts; there are: ${listNames(hosts)}.`,
      ),
    );
  }
  const technologies = technologyNames.filter((technology) => backend[technology] !== null);
  if (technologies.length !== 1) {
    const given = technologies.length === 0 ? "none is given" : `${technologies.join(" and ")} are given`;
    found.push(
      errorAt(
        at,
        `Backend "${name}" needs exactly one technology`,
        `It takes exactly one of ${technologyNames.join(", ")}; ${given}.`,
      ),
    );
  }
  found.push(...checkTarget(name, backend), ...checkFunctions(name, backend));
  const place = placeOf(backend);
  const [twin] = Object.entries(config.backends ?? {}).find(
    ([other, settings]) => other !== name && place !== undefined && placeOf(settings) === place,
  ) ?? [undefined];
  if (twin !== undefined) {
    found.push(
      errorAt(
        at,
        `Backends "${name}" and "${twin}" are the same storage`,
        "Each object there would belong to both, and what one resource deletes another could still hold. Use one backend; where it was renamed, list the old name in its aliases.",
      ),
    );
  }
  for (const alias of backend.aliases ?? []) {
    const claimed = Object.entries(config.backends ?? {}).some(
      ([other, { aliases }]) => other === alias || (other !== name && aliases?.includes(alias) === true),
    );
    if (claimed) {
      found.push(
        errorAt(
          [...at, "aliases"],
          `Ambiguous alias of backend "${name}"`,
          `"${alias}" names another backend too.`,
        ),
      );
    }
  }
  return found;
}

/** Only what is wrong with the text: which names there are depends on what asks. */
function checkFunctions(name: string, backend: BackendConfig): Diagnostic[] {
  return (["filter_function", "goodness_function"] as const).flatMap((setting) => {
    const expression = backend[setting];
    try {
      if (expression !== null) parseExpression(expression);
      return [];
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      return [
        errorAt(
          ["backends", name, setting],
          `Invalid ${setting} of backend "${name}"`,
          `At column ${error.column} of ${JSON.stringify(expression)}: ${error.reason}.`,
        ),
      ];
    }
  });
}

function checkTarget(name: string, backend: BackendConfig): Diagnostic[] {
  const [target, another] = targetNames.filter((candidate) => backend[candidate] !== null);
  const at = ["backends", name];
  if (target !== undefined && another !== undefined) {
    return [
      errorAt(
        [...at, another],
        `Backend "${name}" exports its volumes in two ways`,
        `It takes at most one of ${targetNames.join(" and ")}; both are given.`,
      ),
    ];
  }
  if (target !== undefined && backend.file?.format === "qcow2") {
    return [
      errorAt(
        [...at, target],
        `Backend "${name}" cannot export qcow2 files`,
        `The kernel exports bytes as they are, and consumers would see the qcow2 file itself. Write format = "raw", or leave ${target} out.`,
      ),
    ];
  }
  return target === undefined ? [] : complaintOf(() => checkExport(backend), [...at, target]);
}

/** What a check of settings complains of, at its place below `at`. */
function complaintOf(check: () => void, at: AttributePath): Diagnostic[] {
  try {
    check();
    return [];
  } catch (error) {
    if (!isStorageError(error, "InvalidConfiguration")) throw error;
    return [errorAt([...at, ...(error.attribute ?? [])], error.summary, error.detail)];
  }
}

function checkExport(backend: BackendConfig): void {
  const settings = toExport(backend);
  if (settings.target === "iscsi") checkIscsiSettings(settings);
  if (settings.target === "nvmet") checkNvmetSettings(settings);
}

/** Equal for backends whose objects are the same, as far as their settings tell. */
function placeOf({ host, file, lvm }: BackendConfig): string | undefined {
  if (file !== null) return JSON.stringify([host, posix.normalize(`${file.directory}/`)]);
  return lvm === null ? undefined : JSON.stringify([host, "vg", lvm.volume_group]);
}

const technologyNames = ["file", "lvm"] as const;
const targetNames = ["iscsi", "nvmet"] as const;

function listNames(entries: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(entries).map((name) => `"${name}"`);
  return names.length === 0 ? "none" : names.join(", ");
}

function toHost(
  name: string,
  hosts: Readonly<Record<string, HostConfig>>,
  environment: Environment,
): HostSettings {
  const host = hosts[name];
  if (host === undefined) throw new Error(`no host ${name}: checkHost must have refused it`);
  const jumpHost = host.jump_host === null ? undefined : toHost(host.jump_host, hosts, environment);
  return {
    ...login(name, host, jumpHost, environment),
    dialAttempts: host.dial_attempts ?? undefined,
    perDialTimeoutMs: seconds(host.dial_timeout),
    keepAliveIntervalMs: seconds(host.keep_alive_interval),
  };
}

/** The settings of a machine that stands in a resource; what it refers to by name is the provider's. */
export function inlineHostSettings(
  connection: ConnectionConfig,
  jumpHost: HostSettings | undefined,
  environment: Environment = process.env,
): HostSettings {
  const secrets = {
    host_keys: null,
    insecure_accept_any_host_key: null,
    private_key: null,
    private_key_passphrase: null,
    password: null,
    become_password: null,
  };
  return login(connection.address, { ...connection, ...secrets }, jumpHost, environment);
}

/** How a machine is reached and logged in to. */
function login(
  name: string,
  host: Omit<HostConfig, "jump_host" | "dial_attempts" | "dial_timeout" | "keep_alive_interval">,
  jumpHost: HostSettings | undefined,
  environment: Environment,
): HostSettings {
  return {
    name,
    address: host.address,
    port: host.port ?? undefined,
    user: host.user,
    auth: toAuth(host, environment),
    hostKeys: toHostKeys(host),
    become: toBecome(host),
    jumpHost,
  };
}

type Login = Parameters<typeof login>[1];

function toAuth(host: Login, environment: Environment): HostAuth {
  const given = [host.private_key, host.private_key_file, host.password, host.password_env].some(
    (value) => value !== null,
  );
  return {
    agentSocket: host.agent_socket ?? (given ? undefined : environment["SSH_AUTH_SOCK"]),
    privateKeyFile: host.private_key_file ?? undefined,
    privateKey: host.private_key ?? undefined,
    passphrase: host.private_key_passphrase ?? undefined,
    password: host.password ?? undefined,
    passwordEnvironment: host.password_env ?? undefined,
  };
}

function toHostKeys(host: Login): HostKeyPolicy {
  if (host.insecure_accept_any_host_key === true) return { insecureAcceptAnyHostKey: true };
  const pinned = [...(host.host_key === null ? [] : [host.host_key]), ...(host.host_keys ?? [])];
  return pinned.length > 0 ? { pinned } : { knownHostsFile: host.known_hosts_file ?? undefined };
}

function toBecome(host: Login): Become {
  if (host.become === "sudo") return { method: "sudo", password: host.become_password ?? undefined };
  return { method: host.become ?? "none" };
}

function toBackend([name, backend]: [string, BackendConfig]): BackendSettings {
  return {
    name,
    aliases: backend.aliases ?? [],
    host: backend.host,
    technology: toTechnology(backend),
    target: toExport(backend),
    unreachable: backend.unreachable ?? "error",
    imageCacheBytes:
      backend.image_cache_max_size === null ? undefined : backend.image_cache_max_size * bytesPerGib,
    placement: toPlacement(backend),
  };
}

function toPlacement(backend: BackendConfig): PlacementSettings {
  const ratio = backend.max_over_subscription_ratio;
  return {
    reservedPercentage: backend.reserved_percentage ?? undefined,
    maxOverSubscriptionRatio: ratio === null || ratio === "auto" ? (ratio ?? undefined) : Number(ratio),
    filterFunction: backend.filter_function ?? undefined,
    goodnessFunction: backend.goodness_function ?? undefined,
    availabilityZone: backend.availability_zone ?? undefined,
    labels: backend.labels ?? undefined,
  };
}

function toTechnology(backend: BackendConfig): TechnologySettings {
  const { file, lvm } = backend;
  if (file !== null) {
    return { technology: "file", directory: file.directory, format: file.format ?? "raw" };
  }
  if (lvm === null) throw new Error("no technology: checkBackend must have refused it");
  return {
    technology: "lvm",
    volumeGroup: lvm.volume_group,
    thinPool: lvm.thin_pool,
    volumeClear: lvm.volume_clear ?? "zero",
    snapshotSizePercent: lvm.snapshot_size_percent ?? undefined,
    volumeClearMiBPerSecond: lvm.volume_clear_mib_per_second ?? undefined,
  };
}

function toExport({ iscsi, nvmet }: BackendConfig): ExportSettings {
  if (iscsi !== null) {
    const { portals, chap, iqn_prefix: iqnPrefix } = iscsi;
    return { target: "iscsi", portals, chap: chap ?? undefined, iqnPrefix: iqnPrefix ?? undefined };
  }
  if (nvmet !== null) {
    const { portals, nqn_prefix: nqnPrefix } = nvmet;
    return { target: "nvmet", portals, nqnPrefix: nqnPrefix ?? undefined };
  }
  return { target: "local" };
}

function seconds(value: number | null): number | undefined {
  return value === null ? undefined : value * 1_000;
}

function mapEntries<T, R>(
  entries: Readonly<Record<string, T>>,
  convert: (name: string) => R,
): Record<string, R> {
  return Object.fromEntries(Object.keys(entries).map((name) => [name, convert(name)]));
}
