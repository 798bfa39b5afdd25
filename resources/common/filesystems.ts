import type { AccessMode, FilesystemRequest } from "../../src/contract/index.ts";
import {
  type AttributeOptions,
  choice,
  type KnownConfig,
  object,
  type Presence,
  string,
  stringList,
  type Validator,
} from "../schema/index.ts";

const mountPoint: Validator<string> = {
  description: "be an absolute path of printable characters, not `/` itself, without `..`",
  check(value) {
    const shown = JSON.stringify(value);
    if (!value.startsWith("/")) return `It must be an absolute path on the consumer, not ${shown}.`;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    if (/[\u0000-\u001f\u007f]/.test(value)) return `The path must not hold control characters: ${shown}.`;
    const steps = value.split("/").filter((step) => step !== "");
    if (steps.length === 0) return "A volume cannot be mounted at the root of the consumer.";
    if (steps.some((step) => step === "." || step === "..")) {
      return `The path must not contain "." or "..": ${shown}.`;
    }
    return value === `/${steps.join("/")}` ? undefined : `Write it as "/${steps.join("/")}", not ${shown}.`;
  },
};

/** Set by us, or by what the attachment says. */
const reservedOptions = ["_netdev", "nofail", "noauto", "auto", "ro", "rw", "defaults"];

const mountOptions: Validator<readonly string[]> = {
  description: `hold options one by one, without ${reservedOptions.map((option) => `\`${option}\``).join(", ")}`,
  check(value) {
    for (const option of value) {
      const shown = JSON.stringify(option);
      if (!/^[!-+\--~]+$/.test(option)) return `${shown} is not one mount option.`;
      if (option === "ro" || option === "rw") return `${shown} follows from mode; leave it out.`;
      if (reservedOptions.includes(option)) return `${shown} is for breezeblock to decide; leave it out.`;
    }
    return undefined;
  },
};

const mkfsOptions: Validator<readonly string[]> = {
  description: "hold arguments one by one, none of them empty",
  check: (value) =>
    value.every((option) => option !== "" && !option.includes("\0"))
      ? undefined
      : "An argument must not be empty, nor hold a NUL character.",
};

const label: Validator<string> = {
  description: "have 1 to 12 letters, digits, `_`, `.` and `-`",
  check: (value) =>
    /^[A-Za-z0-9_.][A-Za-z0-9_.-]{0,11}$/.test(value)
      ? undefined
      : `A label has 1 to 12 letters, digits, "_", "." and "-"; ${JSON.stringify(value)} does not fit.`,
};

const owner: Validator<string> = {
  description: "be a user, or a user and a group as in `postgres:postgres`, by names or numbers",
  check: (value) =>
    /^[A-Za-z0-9_][A-Za-z0-9_.-]*\$?(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$/.test(value)
      ? undefined
      : `It must be "user" or "user:group", not ${JSON.stringify(value)}.`,
};

const mode: Validator<string> = {
  description: "be octal permissions such as `0750`",
  check: (value) =>
    /^[0-7]{3,4}$/.test(value)
      ? undefined
      : `It must be octal permissions such as "0750", not ${JSON.stringify(value)}.`,
};

export const filesystemAttributes = {
  type: choice(["ext4", "xfs"], "required", {
    description:
      "The type of file system. It is made only where it is certain that nothing is lost: on a volume that breezeblock made empty and that was never formatted. Cannot be changed later.",
    example: "ext4",
  }),
  mount_point: string("required", {
    description: "Where it is mounted, now and at boot. Made where it is missing.",
    validators: [mountPoint],
    example: "/srv/postgres",
  }),
  mount_options: stringList("optional", {
    description: "Further mount options; `_netdev` and `nofail` are added, `ro` follows from `mode`.",
    validators: [mountOptions],
    example: ["noatime"],
  }),
  mkfs_options: stringList("optional", {
    description: "Further arguments of `mkfs`. Of no effect once the file system is there.",
    validators: [mkfsOptions],
  }),
  label: string("optional", {
    description: "The file system's label. Of no effect once the file system is there.",
    validators: [label],
  }),
  owner: string("optional", {
    description: "Owner of the file system's root, as `user` or `user:group`. Left as it is by default.",
    validators: [owner],
    example: "postgres:postgres",
  }),
  mode: string("optional", {
    description: "Permissions of the file system's root, octal. Left as they are by default.",
    validators: [mode],
    example: "0750",
  }),
} as const;

export type FilesystemConfig = KnownConfig<typeof filesystemAttributes>;

export function filesystem<P extends Presence>(presence: P, options: AttributeOptions<FilesystemConfig, P>) {
  return object(filesystemAttributes, presence, options);
}

export function toFilesystemRequest(config: FilesystemConfig, access: AccessMode): FilesystemRequest {
  return {
    type: config.type,
    mountPoint: config.mount_point,
    mountOptions: config.mount_options ?? [],
    mkfsOptions: config.mkfs_options ?? [],
    label: config.label,
    owner: config.owner,
    mode: config.mode,
    access,
  };
}
