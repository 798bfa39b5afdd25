import type { Client } from "ssh2";
import { openHost } from "../../src/ssh/index.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { ensurePackages } from "../support/packages.ts";
import { type Comparison, compare, timed } from "./measure.ts";
import { connect } from "./ssh-session.ts";
import { hostSettings } from "./storage-host.ts";

const rounds = 9;
const commandsARound = 20;

/** A command in the session shell, against a channel for each command, and a connection for each, over a real sshd. */
export async function benchShell(): Promise<readonly Comparison[]> {
  const openSsh = await ensurePackages(["openssh-server", "openssh-client", "util-linux"]);
  if (!openSsh.available) throw new Error(openSsh.reason);
  const server = await startOpenSsh();
  const host = openHost(hostSettings(server));
  const client = await connect(server);
  try {
    await host.run(["true"]);
    const inShell = () => perCommand(() => host.run(["true"]));
    return [
      await compare(
        {
          what: "Command in the session shell / on a channel of its own",
          ours: "session shell",
          baseline: "exec channel",
        },
        rounds,
        inShell,
        () => perCommand(() => execute(client, "true")),
      ),
      await compare(
        {
          what: "Command in the session shell / on a connection of its own",
          ours: "session shell",
          baseline: "dial",
        },
        rounds,
        inShell,
        () =>
          timed(async () => {
            const own = await connect(server);
            await execute(own, "true");
            own.end();
          }),
      ),
    ];
  } finally {
    client.end();
    await host.close();
    await server.stop();
  }
}

async function perCommand(run: () => Promise<unknown>): Promise<number> {
  const total = await timed(async () => {
    for (let i = 0; i < commandsARound; i++) await run();
  });
  return total / commandsARound;
}

function execute(client: Client, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error !== undefined) return reject(error);
      channel.on("close", () => resolve());
      channel.resume();
    });
  });
}
