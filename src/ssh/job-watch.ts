import { randomBytes } from "node:crypto";
import { PassThrough, type Readable, Writable } from "node:stream";
import type { Argument } from "../contract/index.ts";
import { StorageError } from "../contract/index.ts";
import { type Deferred, deferred } from "./deferred.ts";

/** What watching needs of a host. */
export interface JobWatchHost {
  readonly host: string;
  /** As `Host.stream`, with a shell kept for this purpose. */
  watch(
    argv: readonly Argument[],
    streams: { readonly stdin: Readable; readonly stdout: Writable },
    label: string,
  ): Promise<unknown>;
}

// Reads `<name> <file>` lines, and prints the name once nobody holds an exclusive lock on the file. One process for all jobs, so that
// waiting takes one channel however many there are. At the end of its input it ends its whole process group.
const watchScript = `
while read -r name file; do
  { flock -s "$file" true; echo "$name"; } &
done
kill -s TERM 0
`;

interface Session {
  readonly input: PassThrough;
  readonly waiting: Map<string, Deferred<void>>;
}

/** Waits for the ends of jobs, without asking again and again. */
export class JobWatch {
  readonly #host: JobWatchHost;
  #session: Session | undefined;

  constructor(host: JobWatchHost) {
    this.#host = host;
  }

  /**
   * Resolves when `file` is no longer locked exclusively, or gone.
   *
   * @throws StorageError `Cancelled` where `signal` was aborted; `OperationInDoubt` or `BackendUnreachable` where the host was lost.
   */
  async ended(file: string, signal?: AbortSignal): Promise<void> {
    const session = this.#session ?? this.#open();
    const name = randomBytes(16).toString("hex");
    const waiting = deferred<void>();
    const onAbort = () => waiting.reject(this.#failure("Cancelled", "stopped on request"));
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    session.waiting.set(name, waiting);
    session.input.write(`${name} ${file}\n`);
    try {
      await waiting.promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      session.waiting.delete(name);
      if (session.waiting.size === 0) this.#close(session);
    }
  }

  #open(): Session {
    const session: Session = { input: new PassThrough(), waiting: new Map() };
    let rest = "";
    const stdout = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        const lines = (rest + chunk.toString("latin1")).split("\n");
        rest = lines.pop() ?? "";
        for (const name of lines) session.waiting.get(name)?.resolve();
        done();
      },
    });
    this.#session = session;
    this.#host.watch(["sh", "-c", watchScript], { stdin: session.input, stdout }, "wait for jobs").then(
      () =>
        this.#fail(session, this.#failure("OperationInDoubt", "the process that waited for them was ended")),
      (error: unknown) => this.#fail(session, error),
    );
    return session;
  }

  #close(session: Session): void {
    if (this.#session === session) this.#session = undefined;
    session.input.end();
  }

  #fail(session: Session, error: unknown): void {
    this.#close(session);
    for (const waiting of session.waiting.values()) waiting.reject(error);
  }

  /** Whoever asked says what the jobs are for, and what to do. */
  #failure(kind: "Cancelled" | "OperationInDoubt", reason: string): StorageError {
    return new StorageError({ kind, action: "wait for jobs", reason, host: this.#host.host });
  }
}
