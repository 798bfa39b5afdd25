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

const backendAttributes = {
  host: string("required", { description: "The storage host, a key of `hosts`.", example: "san1" }),
  aliases: stringList("optional", {
    description: "Earlier names of this backend; states that hold them go on working.",
  }),
  unreachable: choice(["error", "warn"], "optional", {
    description:
      "What a read does when the host does not answer: `error` (default), or `warn`, which keeps what state says and lets plans for other backends go on.",
  }),
  file: object(
    {
      directory: string("required", {
        description:
          "An existing directory on the host; it is never created, so that a missing mount is noticed.",
        validators: [absolutePath],
        example: "/srv/volumes",
      }),
      format: choice(["raw", "qcow2"], "optional", {
        description: "Format of the volumes' files. Default `raw`. `qcow2` needs `qemu-img` on the host.",
      }),
    },
    "optional",
    { description: "Volumes are files in a directory." },
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
    description: "What volumes are allocated on, by name: a host and exactly one storage technology.",
    validators: [namedEntries],
  }),
  default_labels: stringMap("optional", { description: "Labels for every volume and snapshot." }),
  deletion_protection: boolean("optional", {
    description: "Default for volumes and snapshots that do not say. Default `false`.",
  }),
} as const;

export type ProviderConfig = KnownConfig<typeof providerAttributes>;
export type HostConfig = KnownConfig<typeof hostAttributes>;
export type BackendConfig = KnownConfig<typeof backendAttributes>;
