import { statNames } from "../../src/contract/index.ts";
import { defaultIqnPrefix } from "../../src/targets/iscsi/index.ts";
import { defaultNqnPrefix } from "../../src/targets/nvmet/index.ts";
import { configurationName } from "../common/names.ts";
import {
  boolean,
  choice,
  integer,
  type KnownConfig,
  object,
  objectMap,
  string,
  stringList,
  stringMap,
  type Validator,
} from "../schema/index.ts";

const port: Validator<number> = {
  description: "be between 1 and 65535",
  check: (value) =>
    value >= 1 && value <= 65_535 ? undefined : `A port is between 1 and 65535; ${value} is not.`,
};

const absolutePath: Validator<string> = {
  description: "be an absolute path",
  check(value) {
    if (value.includes("\0")) return "A path must not hold a NUL character.";
    if (!value.startsWith("/"))
      return `It must be an absolute path on the host, not ${JSON.stringify(value)}.`;
    if (value.split("/").includes("..")) return `The path must not contain "..": ${JSON.stringify(value)}.`;
    return undefined;
  },
};

const positive: Validator<number> = {
  description: "be at least 1",
  check: (value) => (value >= 1 ? undefined : `It must be at least 1, not ${value}.`),
};

const notEmpty: Validator<string> = {
  description: "not be empty",
  check: (value) => (value.trim() === "" ? "It must not be empty." : undefined),
};

const lvmName: Validator<string> = {
  description: "be a name that LVM accepts",
  check: (value) =>
    /^[A-Za-z0-9+_.][A-Za-z0-9+_.-]{0,126}$/.test(value) && value !== "." && value !== ".."
      ? undefined
      : `LVM names have letters, digits, "+", "_", "." and "-", do not begin with "-", and have at most 127 characters; ${JSON.stringify(value)} does not fit.`,
};

const percentage: Validator<number> = {
  description: "be between 0 and 100",
  check: (value) => (value >= 0 && value <= 100 ? undefined : `A percentage is 0 to 100; ${value} is not.`),
};

const overSubscriptionRatio: Validator<string> = {
  description: "be a number of at least 1, or `auto`",
  check: (value) =>
    value === "auto" || (/^\d+(\.\d+)?$/.test(value) && Number(value) >= 1)
      ? undefined
      : `It must be a number of at least 1, or "auto", not ${JSON.stringify(value)}.`,
};

const capabilityNames: Validator<Readonly<Record<string, string>>> = {
  description: "have keys that no measured capability has",
  check(value) {
    const taken = statNames.find((name) => Object.hasOwn(value, name));
    return taken === undefined
      ? undefined
      : `"${taken}" is measured, or has a setting of its own; a label needs another name.`;
  },
};

/** Map keys that name hosts or backends. */
const namedEntries: Validator<Readonly<Record<string, unknown>>> = {
  description: "have keys that are valid names",
  check(value) {
    for (const name of Object.keys(value)) {
      const complaint = configurationName.check(name);
      if (complaint !== undefined) return `The key ${JSON.stringify(name)} is not a valid name. ${complaint}`;
    }
    return undefined;
  },
};

const hostAttributes = {
  address: string("required", {
    description: "Host name or address of the SSH server.",
    validators: [notEmpty],
    example: "san1.example",
  }),
  port: integer("optional", { description: "Port of the SSH server. Default 22.", validators: [port] }),
  user: string("required", { description: "User to log in as.", validators: [notEmpty], example: "storage" }),
  agent_socket: string("optional", {
    description:
      "Socket of the ssh-agent to ask. Default: `SSH_AUTH_SOCK`, where no key and no password is given.",
  }),
  private_key_file: string("optional", {
    description: "File with the private key; `~` is the home directory.",
    example: "~/.ssh/id_ed25519",
  }),
  private_key: string("optional", { description: "The private key itself.", sensitive: true }),
  private_key_passphrase: string("optional", {
    description: "Passphrase of the private key.",
    sensitive: true,
  }),
  password: string("optional", { description: "Password to log in with.", sensitive: true }),
  password_env: string("optional", {
    description: "Name of the environment variable that holds the password.",
    validators: [notEmpty],
  }),
  host_key: string("optional", {
    description:
      "The host's public key, as `ssh-keyscan` prints it (`ssh-ed25519 AAAA…`), or its `SHA256:` fingerprint.",
    example: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA…",
  }),
  host_keys: stringList("optional", { description: "Several keys, any of which is accepted." }),
  known_hosts_file: string("optional", {
    description: "OpenSSH known_hosts file to check the host's key against. Default `~/.ssh/known_hosts`.",
  }),
  insecure_accept_any_host_key: boolean("optional", {
    description:
      "Accepts whatever key the host shows: whoever answers at its address gets every command. For experiments only.",
  }),
  become: choice(["none", "sudo", "doas"], "optional", {
    description: "How to gain root on the host. Default `none`.",
  }),
  become_password: string("optional", {
    description: "Password for `become`; never part of a command line.",
    sensitive: true,
  }),
  jump_host: string("optional", {
    description: "Another key of `hosts` through which this one is reached.",
  }),
  dial_attempts: integer("optional", {
    description: "How often to try to connect. Default 3.",
    validators: [positive],
  }),
  dial_timeout: integer("optional", {
    description: "Limit of one attempt, in seconds. Default 15.",
    validators: [positive],
  }),
  keep_alive_interval: integer("optional", {
    description: "Seconds between signs of life; three that go unanswered end the connection. Default 15.",
    validators: [positive],
  }),
} as const;

/** The same for a machine that a resource names itself: only what holds no secret, as it stands in state. */
export const connectionAttributes = {
  // Without their examples, as `host` is the usual way.
  address: { ...hostAttributes.address, example: undefined },
  port: hostAttributes.port,
  user: { ...hostAttributes.user, example: undefined },
  agent_socket: hostAttributes.agent_socket,
  private_key_file: { ...hostAttributes.private_key_file, example: undefined },
  password_env: hostAttributes.password_env,
  host_key: { ...hostAttributes.host_key, example: undefined },
  known_hosts_file: hostAttributes.known_hosts_file,
  become: hostAttributes.become,
  jump_host: string("optional", {
    description: "A key of the provider's `hosts`, through which the machine is reached.",
  }),
} as const;

const backendAttributes = {
  host: string("required", { description: "The storage host, a key of `hosts`.", example: "san1" }),
  aliases: stringList("optional", {
    description: "Earlier names of this backend; states that hold them go on working.",
  }),
  unreachable: choice(["error", "warn"], "optional", {
    description:
      "What a read does when the host does not answer: `error` (default), or `warn`, which keeps what state says and lets plans for other backends go on.",
  }),
  image_cache_max_size: integer("optional", {
    description:
      "How many GiB of disk images are kept on the host, so that the next volume that is filled from the same one need not fetch it again. Only images with a `checksum` are kept; the one that was used longest ago goes first. Without it, none are.",
    validators: [positive],
  }),
  reserved_percentage: integer("optional", {
    description:
      "How much of the total capacity is never given to volumes, in percent, rounded down to whole GiB. Default 0.",
    validators: [percentage],
  }),
  max_over_subscription_ratio: string("optional", {
    description:
      "How many times its capacity a backend or pool may promise to thin volumes: a number of at least 1, or `auto`, which goes by how much of what was promised is really used. Thick volumes are never promised more than there is. Default 20.",
    validators: [overSubscriptionRatio],
  }),
  filter_function: string("optional", {
    description:
      "An expression that says whether a volume may come here, as in `volume.size < 100 and capabilities.total_volumes < 50`.",
    validators: [notEmpty],
  }),
  goodness_function: string("optional", {
    description:
      "An expression that says how well a volume would be placed here, from 0 to 100. Counts beside the free capacity, for volumes that leave the choice of a backend open.",
    validators: [notEmpty],
  }),
  availability_zone: string("optional", {
    description: "Where the storage is; volumes can ask for it.",
    validators: [notEmpty],
  }),
  labels: stringMap("optional", {
    description:
      'Capabilities of your own, which `requirements` of volumes and the functions can ask for, as in `{ tier = "gold" }`.',
    validators: [capabilityNames],
  }),
  file: object(
    {
      directory: string("required", {
        description:
          "An existing directory on the host; it is never created, so that a missing mount is noticed.",
        validators: [absolutePath],
      }),
      format: choice(["raw", "qcow2"], "optional", {
        description: "Format of the volumes' files. Default `raw`. `qcow2` needs `qemu-img` on the host.",
      }),
    },
    "optional",
    { description: "Volumes are files in a directory." },
  ),
  lvm: object(
    {
      volume_group: string("required", {
        description: "An existing volume group on the host. What others keep in it is left alone.",
        validators: [lvmName],
        example: "vg0",
      }),
      thin_pool: string("optional", {
        description:
          "An existing thin pool in it. With one, volumes are thin unless they say otherwise; without, all are thick.",
        validators: [lvmName],
        example: "pool0",
      }),
      volume_clear: choice(["zero", "none"], "optional", {
        description:
          "What thick volumes show of what was on the disk before, which is nothing: `zero` (default) overwrites what a new or grown volume is given, as well as what a deleted one held; `none` says that the volume group's free space holds nobody's data, so that only what is deleted is overwritten. Thin volumes need neither.",
      }),
      snapshot_size_percent: integer("optional", {
        description:
          "The space that snapshots of thick volumes keep for what changes in the volume, as a percentage of its size. Once it is used up, the snapshot's content is lost. Default 20.",
        validators: [positive],
      }),
      volume_clear_mib_per_second: integer("optional", {
        description: "How fast thick volumes are cleared at most. As fast as it goes by default.",
        validators: [positive],
      }),
    },
    "optional",
    { description: "Volumes are logical volumes of LVM." },
  ),
  iscsi: object(
    {
      portals: stringList("required", {
        description:
          "Where consumers log in: addresses of the storage host as consumers reach them, IPv6 in brackets, with a port or without (3260). Several make several paths for multipath.",
        example: ["10.0.0.5:3260"],
      }),
      chap: choice(["required", "none"], "optional", {
        description:
          "Whether consumers have to prove who they are: `required` (default), with passwords made and kept on the storage host; or `none`.",
      }),
      iqn_prefix: string("optional", {
        description: `What the targets' names begin with. Default \`${defaultIqnPrefix}\`.`,
      }),
    },
    "optional",
    { description: "Volumes are exported over iSCSI, by the host's kernel (LIO)." },
  ),
  nvmet: object(
    {
      portals: stringList("required", {
        description:
          "Where consumers connect: addresses of the storage host as consumers reach them, IPv6 in brackets, with a port or without (4420). Several make several paths for multipath.",
      }),
      nqn_prefix: string("optional", {
        description: `What the subsystems' names begin with. Default \`${defaultNqnPrefix}\`.`,
      }),
    },
    "optional",
    { description: "Volumes are exported over NVMe/TCP, by the host's kernel (nvmet)." },
  ),
} as const;

/** The provider block, the YAML file and Pulumi's configuration. */
export const providerAttributes = {
  owner: string("optional", {
    description:
      "Names the state that this configuration belongs to, and must be unique to it, as in `acme/prod`. Recorded on every object; only objects of this owner are ever changed. Also `BREEZEBLOCK_OWNER`. Without it, creates that were killed are not resumed.",
    validators: [notEmpty],
    example: "acme/prod",
  }),
  config_file: string("optional", {
    description:
      "YAML file with these same settings (all but `config_file`); what is written here wins over the file, entry by entry in `hosts` and `backends`. Also `BREEZEBLOCK_CONFIG_FILE`.",
  }),
  hosts: objectMap(hostAttributes, "optional", {
    description: "The machines that are logged in to, by name.",
    validators: [namedEntries],
  }),
  backends: objectMap(backendAttributes, "optional", {
    description:
      "What volumes are allocated on, by name: a host, exactly one storage technology (`file`, `lvm`) and at most one way to export them (`iscsi`, `nvmet`); without one, volumes can be used on their own host only.",
    validators: [namedEntries],
  }),
  default_labels: stringMap("optional", { description: "Labels for every volume and snapshot." }),
  deletion_protection: boolean("optional", {
    description: "Default for volumes and snapshots that do not say. Default `false`.",
  }),
} as const;

export type ProviderConfig = KnownConfig<typeof providerAttributes>;
export type HostConfig = KnownConfig<typeof hostAttributes>;
export type ConnectionConfig = KnownConfig<typeof connectionAttributes>;
export type BackendConfig = KnownConfig<typeof backendAttributes>;
