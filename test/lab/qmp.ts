import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { waitFor } from "../support/wait-for.ts";

type Message = { readonly return?: unknown; readonly error?: { readonly desc: string } };

/** A connection to a QEMU's monitor (the QEMU Machine Protocol); commands go one after the other. */
export class Qmp {
  readonly #socket: Socket;
  readonly #waiting: ((message: Message | Error) => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    const lines = createInterface({ input: socket });
    lines.on("line", (line) => {
      const message = JSON.parse(line) as Message;
      // The greeting and events are neither.
      if ("return" in message || "error" in message) this.#waiting.shift()?.(message);
    });
    // The end of the connection says enough.
    for (const emitter of [socket, lines]) emitter.on("error", () => {});
    socket.on("close", () => {
      for (const end of this.#waiting.splice(0)) end(new Error("QEMU closed its monitor."));
    });
  }

  /** Connects to the monitor at `path`, waiting until QEMU listens there. */
  static async open(path: string): Promise<Qmp> {
    const socket = await waitFor(`The monitor at ${path}`, () => dial(path));
    const qmp = new Qmp(socket);
    await qmp.execute("qmp_capabilities");
    return qmp;
  }

  /** What the command `name` returns. */
  async execute(name: string, args: Record<string, unknown> = {}): Promise<unknown> {
    const answer = new Promise<Message | Error>((resolve) => this.#waiting.push(resolve));
    this.#socket.write(`${JSON.stringify({ execute: name, arguments: args })}\n`);
    const message = await answer;
    if (message instanceof Error) throw new Error(`${name}: ${message.message}`);
    if (message.error !== undefined) throw new Error(`${name}: ${message.error.desc}`);
    return message.return;
  }

  /** The field `status` of what the query `name` returns. */
  async status(name: "query-status" | "query-migrate"): Promise<string> {
    const fields = (await this.execute(name)) as { readonly status?: string };
    return fields.status ?? "none";
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Does `use` with a connection to the monitor at `path`, and closes it. */
export async function withQmp<T>(path: string, use: (qmp: Qmp) => Promise<T>): Promise<T> {
  const qmp = await Qmp.open(path);
  try {
    return await use(qmp);
  } finally {
    qmp.close();
  }
}

function dial(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket));
    socket.once("error", reject);
  });
}
