import { spawn } from "node:child_process";

/** What the `ssh` command needs to know of a host; embedded hosts and private sshds both have it. */
export interface SshEndpoint {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly privateKeyFile: string;
}

export interface SshResult {
  /** The exit code of `ssh`: the command's, or 255. */
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Arguments for OpenSSH's `ssh` that keep the user's configuration, keys and known hosts out. */
export function sshArguments(endpoint: SshEndpoint, options: readonly string[] = []): string[] {
  return [
    ...["-F", "none", "-i", endpoint.privateKeyFile, "-p", String(endpoint.port)],
    ...["BatchMode=yes", "IdentitiesOnly=yes", "LogLevel=ERROR"].flatMap((option) => ["-o", option]),
    ...options.flatMap((option) => ["-o", option]),
    // The first value of an option counts, so that `options` can ask for the key to be checked.
    ...["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"].flatMap((option) => ["-o", option]),
    `${endpoint.user}@${endpoint.address}`,
  ];
}

/** Runs `command` through the real `ssh` (openssh-client). */
export function runSsh(
  endpoint: SshEndpoint,
  command: string,
  { input, options }: { input?: Buffer; options?: readonly string[] } = {},
): Promise<SshResult> {
  return new Promise((resolve, reject) => {
    const { SSH_AUTH_SOCK: _agent, ...env } = process.env;
    const ssh = spawn("ssh", [...sshArguments(endpoint, options), "--", command], { env });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    ssh.stdout.on("data", (chunk) => stdout.push(chunk));
    ssh.stderr.on("data", (chunk) => stderr.push(chunk));
    ssh.on("error", reject);
    ssh.on("close", (status) =>
      resolve({ status, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }),
    );
    // A command need not read what it is given.
    ssh.stdin.on("error", () => {});
    ssh.stdin.end(input);
  });
}
