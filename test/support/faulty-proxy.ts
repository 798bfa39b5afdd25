import { connect, createServer, type Server, type Socket } from "node:net";

export type Fault =
  | { readonly kind: "none" }
  /** Nothing listens: the kernel answers "connection refused". Open connections stay. */
  | { readonly kind: "refuse" }
  /** New connections are accepted and never answered. */
  | { readonly kind: "black-hole" }
  /** Every new connection is cut once the server has sent this many bytes through it. */
  | { readonly kind: "cut-after"; readonly bytes: number };

/** A TCP proxy on loopback that can misbehave. */
export interface FaultyProxy {
  readonly address: string;
  readonly port: number;
  /** Connections accepted since the start. */
  accepted(): number;
  /** Connections that are open now. */
  open(): number;
  /** How connections that come from now on are treated. */
  setFault(fault: Fault): Promise<void>;
  /** Cuts every open connection, without a farewell. */
  cut(): void;
  /** Stops and resumes carrying what open connections send, both ways; the connections stay. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

const address = "127.0.0.1";

/** Starts a proxy in front of `target`, with no fault at first. */
export async function startFaultyProxy(target: { address: string; port: number }): Promise<FaultyProxy> {
  const pairs = new Set<readonly [Socket, Socket?]>();
  let fault: Fault = { kind: "none" };
  let accepted = 0;
  let frozen = false;

  const onConnection = (client: Socket) => {
    accepted += 1;
    const upstream =
      fault.kind === "black-hole"
        ? undefined
        : connect({ host: target.address, port: target.port, noDelay: true, allowHalfOpen: true });
    const pair = upstream === undefined ? ([client] as const) : ([client, upstream] as const);
    pairs.add(pair);
    const close = () => {
      pairs.delete(pair);
      for (const socket of pair) socket?.destroy();
    };
    for (const socket of pair) socket?.on("error", close).on("close", close);
    if (upstream === undefined) {
      client.resume();
      return;
    }
    const limit = fault.kind === "cut-after" ? fault.bytes : Number.POSITIVE_INFINITY;
    carry(client, upstream, () => frozen);
    carry(upstream, client, () => frozen, { limit, close });
  };

  let server: Server | undefined = await listen(0, onConnection);
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("The proxy has no TCP port.");
  const { port } = bound;

  const cut = () => {
    for (const pair of pairs) for (const socket of pair) socket?.resetAndDestroy();
  };
  const thaw = () => {
    frozen = false;
    for (const pair of pairs) for (const socket of pair) socket?.resume();
  };
  return {
    address,
    port,
    accepted: () => accepted,
    open: () => pairs.size,
    setFault: async (next) => {
      fault = next;
      if (next.kind === "refuse") {
        server?.close();
        server = undefined;
      } else {
        server ??= await listen(port, onConnection);
      }
    },
    cut,
    freeze: () => {
      frozen = true;
      for (const pair of pairs) for (const socket of pair) socket?.pause();
    },
    thaw,
    stop: async () => {
      cut();
      const last = server;
      server = undefined;
      await new Promise<void>((resolve) => (last === undefined ? resolve() : last.close(() => resolve())));
    },
  };
}

/** Half-closes as TCP does, keeps back-pressure, and closes once exactly `limit` bytes have gone through. */
function carry(
  from: Socket,
  to: Socket,
  isFrozen: () => boolean,
  { limit, close }: { limit: number; close: () => void } = {
    limit: Number.POSITIVE_INFINITY,
    close: () => {},
  },
): void {
  let left = limit;
  from.on("data", (chunk) => {
    const part = chunk.subarray(0, left);
    left -= part.length;
    if (left === 0) to.write(part, close);
    else if (!to.write(part)) from.pause();
  });
  to.on("drain", () => {
    if (!isFrozen()) from.resume();
  });
  from.on("end", () => to.end());
  if (isFrozen()) from.pause();
}

function listen(port: number, onConnection: (client: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection);
    server.once("error", reject);
    server.listen({ host: address, port }, () => resolve(server));
  });
}
