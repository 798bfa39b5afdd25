import { readFileSync } from "node:fs";
import ssh2, { type Client, type ClientChannel } from "ssh2";
import { waitFor } from "../support/wait-for.ts";
import type { Executed } from "./execute.ts";

export interface RunOptions {
  readonly input?: string;
  /** Milliseconds; 2 minutes by default. */
  readonly timeoutMs?: number;
}

/**
 * A login of the lab's own on a guest, apart from the product's way of doing it. It is opened when it is first
 * needed, and again after it broke. The port is a guest's own on loopback: host keys are not looked at, as
 * tests may change them.
 */
export class GuestConnection {
  readonly #port: number;
  readonly #privateKey: Buffer;
  #client: Promise<Client> | undefined;
  /** What a connection broke with last. */
  #lastFailure: Error | undefined;

  constructor(port: number, privateKeyFile: string) {
    this.#port = port;
    this.#privateKey = readFileSync(privateKeyFile);
  }

  /** Waits until root can log in. */
  async ready(deadlineMs: number): Promise<void> {
    await waitFor(`A login on port ${this.#port}`, () => this.#open(), { deadlineMs, intervalMs: 50 });
  }

  /** Runs a line for root's shell to its end. */
  async attempt(command: string, { input = "", timeoutMs = 120_000 }: RunOptions = {}): Promise<Executed> {
    const client = await this.#open();
    const channel = await new Promise<ClientChannel>((resolve, reject) => {
      client.exec(command, (error, opened) => (error === undefined ? resolve(opened) : reject(error)));
    });
    return new Promise((resolve, reject) => {
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      let status: number | null | undefined;
      const timer = setTimeout(() => {
        reject(new Error(`No end of this within ${timeoutMs} ms: ${command}`));
        channel.close();
      }, timeoutMs);
      channel.on("data", (chunk: Buffer) => stdout.push(chunk));
      channel.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
      channel.on("exit", (code: number | null) => {
        status = code;
      });
      channel.on("close", () => {
        clearTimeout(timer);
        if (status === undefined) {
          reject(new Error(`The connection broke during: ${command}`, { cause: this.#lastFailure }));
        } else {
          resolve({
            status,
            stdout: Buffer.concat(stdout).toString(),
            stderr: Buffer.concat(stderr).toString(),
          });
        }
      });
      channel.end(input);
    });
  }

  /** As `attempt`, for what must succeed. Gives its standard output. */
  async run(command: string, options?: RunOptions): Promise<string> {
    const { status, stdout, stderr } = await this.attempt(command, options);
    if (status === 0) return stdout;
    throw new Error(`Ended with ${status}: ${command}\n${(stderr || stdout).trim().slice(-2000)}`);
  }

  /** Ends the login; the next command opens another. */
  close(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.then((open) => open.destroy()).catch(() => {});
  }

  #open(): Promise<Client> {
    if (this.#client !== undefined) return this.#client;
    const client = new ssh2.Client();
    const opened = new Promise<Client>((resolve, reject) => {
      const broke = (error: Error) => {
        reject(error);
        this.#lastFailure = error;
        if (this.#client === opened) this.#client = undefined;
      };
      client.on("ready", () => resolve(client));
      client.on("error", broke);
      client.on("close", () => broke(new Error("The guest closed the connection.")));
    });
    opened.catch(() => {});
    this.#client = opened;
    client.connect({
      host: "127.0.0.1",
      port: this.#port,
      username: "root",
      privateKey: this.#privateKey,
      readyTimeout: 20_000,
      hostVerifier: () => true,
    });
    return opened;
  }
}
