import { cpSync, readFileSync } from "node:fs";
import { repositoryFile } from "../../scripts/build-terraform.ts";
import type { StorageHost } from "../support/storage.ts";

/** Copies the files of an example into `directory`, as a user would. */
export function copyExample(example: string, directory: string): void {
  cpSync(repositoryFile(`examples/${example}`), directory, { recursive: true });
}

/** A file of `examples/minimal`, with a storage host that is there in place of the made-up one. */
export function minimalExample(file: string, host: StorageHost, volumes: string): string {
  const { address, port, user, privateKeyFile, hostKey } = host.ssh;
  const replacements: readonly (readonly [string | RegExp, string])[] = [
    [
      /address( *= *)"san1.example"/,
      `address$1"${address}", port = ${port}, private_key_file = "${privateKeyFile}"`,
    ],
    ["address: san1.example", `address: ${address}\n    port: ${port}`],
    [/(user *[=:] *"?)storage/, `$1${user}`],
    ["~/.ssh/id_ed25519", privateKeyFile],
    ["ssh-ed25519 AAAA…", hostKey],
    ["/srv/volumes", volumes],
  ];
  return replacements.reduce(
    (text, [from, to]) => text.replace(from, to),
    readFileSync(repositoryFile(`examples/minimal/${file}`), "utf8"),
  );
}
