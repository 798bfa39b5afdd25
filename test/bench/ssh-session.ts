import { readFileSync } from "node:fs";
import { Client, type ClientChannel } from "ssh2";

export interface Server {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly privateKeyFile: string;
}

export function connect(server: Server): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    client.on("ready", () => resolve(client));
    client.on("error", reject);
    client.connect({
      host: server.address,
      port: server.port,
      username: server.user,
      privateKey: readFileSync(server.privateKeyFile),
      // A throwaway server on loopback, started a moment ago: its key is not what is measured.
      hostVerifier: () => true,
    });
  });
}

/** A shell in one SSH session, which scripts are typed into one after the other. */
export class SshSession {
  readonly #client: Client;
  readonly #channel: ClientChannel;

  private constructor(client: Client, channel: ClientChannel) {
    this.#client = client;
    this.#channel = channel;
  }

  static async open(server: Server): Promise<SshSession> {
    const client = await connect(server);
    const channel = await new Promise<ClientChannel>((resolve, reject) => {
      client.exec("sh", (error, opened) => (error === undefined ? resolve(opened) : reject(error)));
    });
    return new SshSession(client, channel);
  }

  /** Runs a script up to its first failing command, which is an error. Gives what it printed. */
  run(script: string): Promise<string> {
    return new Promise((resolve, reject) => {
      let printed = "";
      const stop = (): void => {
        this.#channel.off("data", onData).off("close", onClose);
      };
      const onClose = (): void => {
        stop();
        reject(new Error(`The session ended during:\n${script}`));
      };
      const onData = (chunk: Buffer): void => {
        printed += chunk.toString();
        const end = /\nended (\d+)\n$/.exec(printed);
        if (end === null) return;
        stop();
        if (end[1] === "0") resolve(printed.slice(0, end.index));
        else reject(new Error(`Ended with ${end[1]}:\n${script}\n${printed.slice(-2000)}`));
      };
      this.#channel.on("data", onData).on("close", onClose);
      this.#channel.write(`(set -eu\n${script}\n) </dev/null 2>&1\nprintf '\\nended %s\\n' "$?"\n`);
    });
  }

  close(): void {
    this.#client.end();
  }
}
