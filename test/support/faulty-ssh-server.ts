import { createServer, type Socket } from "node:net";
import ssh2 from "ssh2";
import { generateKeyPair } from "../../src/embedded-host/key-pair.ts";

/** How a faulty server treats a login. */
export type LoginFault = "accept" | "reject" | "hang";

/** How a faulty server treats a command. */
export type CommandFault =
  /** Answers the exec request with a failure. */
  | "refuse"
  /** Accepts the command and never says anything. */
  | "hang"
  /** Sends the first output and cuts the connection. */
  | "cut"
  /** Closes the channel without an exit status. */
  | "close-channel"
  /** Prints what no shell would, then exits with 0. */
  | "garbage";

export interface FaultySshServer {
  readonly address: string;
  readonly port: number;
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string;
  /** Commands asked for so far. */
  readonly commands: readonly string[];
  stop(): Promise<void>;
}

/** An SSH server on loopback that lets anyone in (or nobody) and misbehaves as told. It runs nothing. */
export async function startFaultySshServer(
  faults: { login?: LoginFault; command?: CommandFault } = {},
): Promise<FaultySshServer> {
  const key = generateKeyPair();
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const ssh = new ssh2.Server({ hostKeys: [key.private] }, (connection) => {
    connection
      .on("error", () => {})
      .on("authentication", (context) => {
        if (faults.login === "hang") return;
        // The first request of many clients is "none", which tells them what else there is.
        if (faults.login === "reject" || context.method === "none") context.reject(["publickey", "password"]);
        else context.accept();
      })
      .on("session", (acceptSession) => {
        acceptSession().on("exec", (accept, reject, info) => {
          commands.push(info.command);
          misbehave(faults.command ?? "hang", accept, reject, () => {
            for (const socket of sockets) socket.resetAndDestroy();
          });
        });
      });
  });
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    ssh.injectSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("The server has no TCP port.");
  return {
    address: "127.0.0.1",
    port: bound.port,
    hostKey: key.public.trim(),
    commands,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function misbehave(
  fault: CommandFault,
  accept: ssh2.AcceptConnection<ssh2.ServerChannel>,
  reject: ssh2.RejectConnection,
  cut: () => void,
): void {
  if (fault === "refuse") {
    reject();
    return;
  }
  const channel = accept();
  channel.on("error", () => {}).resume();
  if (fault === "cut") channel.write("partial", cut);
  if (fault === "close-channel") channel.close();
  if (fault === "garbage") {
    channel.write(Buffer.from([0xff, 0x00, 0x0a, 0x1b, 0x5b, 0x0d]));
    channel.exit(0);
    channel.end();
  }
}
