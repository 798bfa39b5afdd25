import { strict as assert } from "node:assert";
import { once } from "node:events";
import type { Argument } from "../../src/contract/index.ts";
import { startFaultyProxy } from "../support/faulty-proxy.ts";
import { refusal } from "./expect.ts";
import type { Session } from "./session.ts";
import type { Trial } from "./trial.ts";

/** Of the commands that run under a lock: the first one only reads. */
export const firstChange = 2;

/**
 * Does `act` over and over, each time losing the connection when one command more has worked but has not been answered.
 * `after` does it again in a later run; it ends when `act` came to its end.
 */
export async function losingConnections(
  trial: Trial,
  { act, after }: { act(session: Session): Promise<unknown>; after(): Promise<void> },
): Promise<void> {
  for (let nth = firstChange; ; nth += 1) {
    const isThrough = await losingConnection(trial, nth, act);
    await after();
    if (trial.subject.isSlow) return;
    if (!isThrough) continue;
    assert.ok(nth > firstChange, "no connection was lost");
    return;
  }
}

/** The same command; then it says on the host that it has worked, and is silent until it is let go. */
const silentScript = `
  signs=$1 && shift && "$@"
  status=$?
  : >"$signs/worked"
  until [ -e "$signs/go" ] || [ ! -d "$signs" ]; do sleep 0.02; done
  exit $status`;

async function losingConnection(
  trial: Trial,
  nth: number,
  act: (session: Session) => Promise<unknown>,
): Promise<boolean> {
  const { host, hostSettings } = trial.subject;
  const { address, port = 22 } = hostSettings;
  const proxy = await startFaultyProxy({ address, port });
  const signs = (await host.run(["mktemp", "-d"])).stdout.toString().trim();
  try {
    const lost = new AbortController();
    const cut = async () => {
      await host.run(["sh", "-c", 'until [ -e "$1/worked" ]; do sleep 0.02; done', "sh", signs]);
      lost.abort();
      await proxy.setFault({ kind: "refuse" });
      proxy.cut();
    };
    const session = trial.session({
      hostSettings: { ...hostSettings, address: proxy.address, port: proxy.port, dialAttempts: 1 },
      around: {
        locked(argv: readonly Argument[], count: number) {
          if (count !== nth) return argv;
          cut();
          return ["sh", "-c", silentScript, "sh", signs, ...argv];
        },
      },
    });
    const acting = act(session);
    const isLost = await Promise.race([
      acting.then(() => false),
      once(lost.signal, "abort").then(() => true),
    ]);
    if (!isLost) return true;
    await refusal(acting, "OperationInDoubt");
    return false;
  } finally {
    await host.run(["touch", `${signs}/go`]);
    await proxy.stop();
    trial.atEnd(async () => void (await host.run(["rm", "-r", signs])));
  }
}
