import { join } from "node:path";
import { type EmbeddedHost, startEmbeddedHost } from "../../embedded-host/index.ts";
import { type Command, type Terminal, UsageError } from "../command.ts";
import { parseOptions, parsePort } from "../parse-options.ts";

const help = `Usage: breezeblock host --directory DIR [--port N] [--json]

Runs a storage host on this machine to try things out: an SSH server on 127.0.0.1
that runs commands as you, in DIR, for whoever holds the one key that it makes.
It is not meant for data that you want to keep. Ctrl-C or SIGTERM stops it.

Options:
  --directory DIR  where its keys and volumes live; made when it is not there
  --port N         TCP port; a free one by default
  --json           print one line of JSON when ready:
                   {"address","port","user","private_key_file","host_key"}
  --help           show this text
`;

/** `breezeblock host`: an embedded storage host in the foreground, until SIGINT, SIGTERM or SIGHUP. */
export const hostCommand: Command = {
  name: "host",
  summary: "run a storage host on this machine to try things out",
  help,
  run,
};

async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const options = parseOptions(args, {
    directory: { type: "string" },
    port: { type: "string" },
    json: { type: "boolean", default: false },
  });
  if (options.directory === undefined || options.directory === "") {
    throw new UsageError("--directory is required");
  }
  const port = options.port === undefined ? undefined : parsePort(options.port);
  // Until it is ready, a signal ends the process as it would any other: there is nothing to tidy up yet.
  const host = await startEmbeddedHost({ directory: options.directory, port });
  const stopped = stopSignal();
  terminal.stdout(options.json ? describeAsJson(host) : describeForPeople(host));
  await stopped;
  await host.stop();
  return 0;
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    // `on`, not `once`: a second Ctrl-C must not kill the process while it tidies up.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve());
  });
}

/** The line that programs read; its keys are a promise. */
export function describeAsJson(host: EmbeddedHost): string {
  const { address, port, user, privateKeyFile, hostKey } = host;
  return `${JSON.stringify({ address, port, user, private_key_file: privateKeyFile, host_key: hostKey })}\n`;
}

function describeForPeople(host: EmbeddedHost): string {
  return `A storage host to try things out is ready at ${host.address}:${host.port}, in ${host.directory}.
Paste this into a Terraform or OpenTofu configuration:

${providerBlock(host)}
Ctrl-C stops it; what is in the directory stays.
`;
}

/** A provider block that uses `host` through the file driver. */
export function providerBlock(host: EmbeddedHost): string {
  return `provider "breezeblock" {
  owner = "trial" # unique to this state
  hosts = {
    local = {
      address          = ${hclString(host.address)}
      port             = ${host.port}
      user             = ${hclString(host.user)}
      private_key_file = ${hclString(host.privateKeyFile)}
      host_key         = ${hclString(host.hostKey)}
    }
  }
  backends = {
    demo = { host = "local", file = { directory = ${hclString(join(host.directory, "volumes"))} } }
  }
}
`;
}

/** Quoted as in the HCL specification, "Quoted Template Expressions". */
function hclString(text: string): string {
  return JSON.stringify(text).replace(/[$%](?=\{)/g, "$&$&");
}
