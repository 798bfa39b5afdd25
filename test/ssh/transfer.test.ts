import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Host, VolumeContent } from "../../src/contract/index.ts";
import { type CountedHost, openHost } from "../../src/ssh/index.ts";
import { transferContent } from "../../src/transfer/index.ts";
import { StorageHost } from "../support/storage.ts";
import { tempDirectory } from "../support/temp-directory.ts";
import { waitFor } from "../support/wait-for.ts";

const mebibyte = 1024 ** 2;

let servers: readonly StorageHost[];
let hosts: readonly CountedHost[];
beforeAll(async () => {
  servers = [await StorageHost.start(), await StorageHost.start()];
  hosts = servers.map(({ ssh: { address, port, user, privateKeyFile, hostKey } }, index) =>
    openHost({
      ...{ name: `host-${index}`, address, port, user },
      auth: { privateKeyFile },
      hostKeys: { pinned: [hostKey] },
    }),
  );
});
afterAll(async () => {
  for (const host of hosts) await host.close();
  for (const server of servers) await server.stop();
});

function content(path: string): VolumeContent {
  const marker = `${path}.identity`;
  writeFileSync(marker, '{"identity":"this one"}\n');
  const proof = { path: marker, text: '"this one"' };
  return { format: "raw", path, sizeBytes: 4 * mebibyte, isZeroed: true, proof };
}

test("between two hosts the sender may end long after its last byte has been written", async () => {
  const [source, target] = hosts;
  if (source === undefined || target === undefined) throw new Error("there are two hosts");
  const directory = tempDirectory();
  const bytes = Buffer.alloc(4 * mebibyte);
  bytes.write("at the very end", bytes.length - 15);
  const [from, to, gate] = ["from", "to", "gate"].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(from, bytes);
  writeFileSync(to, "");
  writeFileSync(gate, "");
  // Whatever the sender runs, it does not end before the gate is open.
  const lingering: Host = Object.create(source, {
    stream: {
      value: (
        argv: Parameters<Host["stream"]>[0],
        ...rest: [Parameters<Host["stream"]>[1], Parameters<Host["stream"]>[2]]
      ) =>
        source.stream(
          [
            "sh",
            "-c",
            `"$@"; code=$?; while [ -e '${gate}' ]; do sleep 0.02; done; exit $code`,
            "sh",
            ...argv,
          ],
          ...rest,
        ),
    },
  });
  const copied = transferContent({
    action: "move volume",
    source: { host: lingering, content: content(from) },
    target: { host: target, content: content(to) },
    job: { id: "copy", directory },
    token: "0123456789abcdef",
    signal: undefined,
    onProgress: () => undefined,
  });
  const failure = copied.catch((error: unknown) => error);
  await waitFor("the last byte", () => statSync(to).size === bytes.length && readFileSync(to).equals(bytes));
  // As fast as the target's side may be, the sender is not at its end yet.
  await target.run(["true"]);
  expect(existsSync(gate)).toBe(true);
  rmSync(gate);
  expect(await failure).toBeUndefined();
  expect(readFileSync(to).equals(bytes)).toBe(true);
});
