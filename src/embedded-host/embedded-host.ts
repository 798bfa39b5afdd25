import { randomUUID, timingSafeEqual } from "node:crypto";
import { mkdir, realpath } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { userInfo } from "node:os";
import { delimiter, join } from "node:path";
import ssh2 from "ssh2";
import { StorageError } from "../contract/index.ts";
import { CommandChannel } from "./command-channel.ts";
import { type HostIdentity, loadIdentity } from "./identity.ts";
import { endProcesses, markerVariable } from "./processes.ts";

export interface EmbeddedHostOptions {
  /** Where commands run and where keys and volumes live; made when it is not there. */
  readonly directory: string;
  /** TCP port on 127.0.0.1; a free one by default. */
  readonly port?: number | undefined;
  /** The only name that may log in; by default that of the user who runs the host. */
  readonly user?: string | undefined;
  /** Sessions that one connection may have open at a time; 10 by default, as OpenSSH's MaxSessions. */
  readonly maxSessions?: number | undefined;
  /** Lets clients reach other loopback ports through this host (`direct-tcpip`), as a jump host; off by default. */
  readonly allowLoopbackForwarding?: boolean | undefined;
  /** PATH of the commands; by default that of this process with the system's directories added. */
  readonly path?: string | undefined;
}

/** A running embedded host. It exists to try things out: one user, one key, loopback only. */
export interface EmbeddedHost {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** The host's directory, without symbolic links. */
  readonly directory: string;
  /** OpenSSH private key that may log in. */
  readonly privateKeyFile: string;
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string;
  /** Stops listening, drops every connection and ends every process started here. */
  stop(): Promise<void>;
}

const address = "127.0.0.1";
const systemPath = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/**
 * Starts an SSH server on loopback that runs real commands in a directory of its own, as this user.
 *
 * Keys are made at the first start in `<directory>/.breezeblock-host/` and kept, so that a restart has
 * the same identity. Throws `InvalidConfiguration` where the directory or the port cannot be used.
 */
export async function startEmbeddedHost(options: EmbeddedHostOptions): Promise<EmbeddedHost> {
  const { identity, directory } = await prepareDirectory(options.directory);
  const user = options.user ?? currentUser();
  const marker = randomUUID();
  const running = new Set<number>();
  const host: HostContext = {
    user,
    userKey: identity.userKey,
    directory,
    environment: commandEnvironment(user, directory, marker, options.path),
    maxSessions: options.maxSessions ?? 10,
    allowLoopbackForwarding: options.allowLoopbackForwarding ?? false,
    running,
  };
  const ssh = new ssh2.Server({ hostKeys: [identity.hostPrivateKey] }, (connection) =>
    serveConnection(connection, host),
  );
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    ssh.injectSocket(socket);
  });
  const port = await listen(server, options.port ?? 0);

  const stop = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await endProcesses(marker, running);
    await closed;
  };
  let stopped: Promise<void> | undefined;
  return {
    address,
    port,
    user,
    directory,
    privateKeyFile: identity.userPrivateKeyFile,
    hostKey: identity.hostKey,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** What every connection of one host shares. */
interface HostContext {
  readonly user: string;
  readonly userKey: ssh2.ParsedKey;
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly maxSessions: number;
  readonly allowLoopbackForwarding: boolean;
  /** Process ids of the commands that have not ended. */
  readonly running: Set<number>;
}

function serveConnection(connection: ssh2.Connection, host: HostContext): void {
  const commands = new Set<CommandChannel>();
  let sessions = 0;
  connection
    .on("authentication", (context) => authenticate(context, host))
    .on("session", (accept, reject) => {
      if (sessions >= host.maxSessions) return reject();
      sessions += 1;
      const session = accept();
      session.on("close", () => {
        sessions -= 1;
      });
      serveSession(session, host, commands);
    })
    // A broken connection is its client's business; `close` follows.
    .on("error", () => {})
    .on("close", () => {
      for (const command of commands) command.disconnect();
    });
  if (host.allowLoopbackForwarding) connection.on("tcpip", forwardToLoopback);
}

function authenticate(context: ssh2.AuthContext, host: HostContext): void {
  if (context.method !== "publickey" || context.username !== host.user) {
    context.reject(["publickey"]);
    return;
  }
  const { key, signature, blob } = context;
  const expected = host.userKey.getPublicSSH();
  const known =
    key.algo === host.userKey.type &&
    key.data.length === expected.length &&
    timingSafeEqual(key.data, expected);
  // Without a signature the client only asks whether this key would do.
  const proven =
    signature === undefined || (blob !== undefined && host.userKey.verify(blob, signature) === true);
  if (known && proven) context.accept();
  else context.reject(["publickey"]);
}

function serveSession(session: ssh2.Session, host: HostContext, commands: Set<CommandChannel>): void {
  const environment = { ...host.environment };
  let command: CommandChannel | undefined;
  session
    .on("env", (accept, reject, { key, val }) => {
      // What Debian's sshd accepts; anything else could change what a command means.
      if (!/^(LANG|LC_[A-Z]+)$/.test(key)) return reject?.();
      environment[key] = val;
      accept?.();
    })
    .on("exec", (accept, _reject, info) => {
      const started = new CommandChannel(accept(), info.command, { cwd: host.directory, env: environment });
      command = started;
      commands.add(started);
      const { pid } = started;
      if (pid !== undefined) {
        host.running.add(pid);
        void started.ended.then(() => host.running.delete(pid));
      }
    })
    .on("signal", (accept, reject, { name }) => {
      if (command === undefined) return reject?.();
      command.signal(name);
      accept?.();
    })
    .on("close", () => {
      if (command === undefined) return;
      command.close();
      commands.delete(command);
    });
}

function forwardToLoopback(
  accept: ssh2.AcceptConnection<ssh2.ServerChannel>,
  reject: ssh2.RejectConnection,
  { destIP, destPort }: ssh2.TcpipRequestInfo,
): void {
  if (!["127.0.0.1", "::1", "localhost"].includes(destIP)) {
    reject();
    return;
  }
  const socket = connect({ host: destIP, port: destPort, noDelay: true });
  socket.once("error", reject);
  socket.once("connect", () => {
    socket.off("error", reject);
    const channel = accept();
    socket.on("error", () => channel.close()).on("close", () => channel.close());
    channel.on("error", () => socket.destroy()).on("close", () => socket.destroy());
    channel.pipe(socket).pipe(channel);
  });
}

async function prepareDirectory(wanted: string): Promise<{ identity: HostIdentity; directory: string }> {
  try {
    await mkdir(join(wanted, "volumes"), { recursive: true });
    const directory = await realpath(wanted);
    return { identity: await loadIdentity(directory), directory };
  } catch (error) {
    throw startError(`The directory ${wanted} cannot be used: ${message(error)}`, error);
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) =>
      reject(startError(`Port ${port} of ${address} cannot be used: ${error.message}`, error)),
    );
    server.listen({ host: address, port }, () => {
      const bound = server.address();
      if (bound === null || typeof bound === "string") throw new Error("The server has no TCP port.");
      resolve(bound.port);
    });
  });
}

function startError(reason: string, cause: unknown): StorageError {
  return new StorageError({ kind: "InvalidConfiguration", action: "start the embedded host", reason, cause });
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Nothing of this process's environment goes in but PATH, so that no secret of it can come out. */
function commandEnvironment(
  user: string,
  directory: string,
  marker: string,
  path: string | undefined,
): NodeJS.ProcessEnv {
  const ownPath = process.env["PATH"]?.split(delimiter) ?? [];
  return {
    HOME: directory,
    LOGNAME: user,
    PATH: path ?? [...new Set([...ownPath, ...systemPath])].join(delimiter),
    SHELL: "/bin/sh",
    USER: user,
    [markerVariable]: marker,
  };
}

function currentUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a number that no passwd entry names.
    return "breezeblock";
  }
}
