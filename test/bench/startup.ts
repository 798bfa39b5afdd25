import { spawn } from "node:child_process";
import { createCertificate } from "../../providers/terraform/handshake/certificate.ts";
import { type Comparison, compare } from "./measure.ts";
import { providerExecutable } from "./provider.ts";

const rounds = 25;

/** Engines always bring one, and the provider then makes its own. */
const clientCertificate = createCertificate().pem;

/** From starting the provider to its handshake line, against a bare node that runs nothing. */
export async function benchStartup(): Promise<readonly Comparison[]> {
  const executable = providerExecutable();
  // The first start fills the compile cache, as it does for every user.
  await untilHandshake(executable);
  return [
    await compare(
      {
        what: "Provider start-up / bare node",
        ours: "provider until its handshake",
        baseline: "node -e 0",
        aim: 1.5,
      },
      rounds,
      () => untilHandshake(executable),
      bareNode,
    ),
  ];
}

function untilHandshake(executable: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(executable, [], {
      env: {
        ...process.env,
        TF_PLUGIN_MAGIC_COOKIE: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
        PLUGIN_PROTOCOL_VERSIONS: "6",
        PLUGIN_CLIENT_CERT: clientCertificate,
      },
      stdio: ["ignore", "pipe", "ignore"],
    });
    let took: number | undefined;
    child.on("error", reject);
    child.stdout.once("data", () => {
      took = performance.now() - start;
      child.kill("SIGKILL");
    });
    child.on("exit", () => {
      if (took === undefined) reject(new Error("the provider ended without a handshake"));
      else resolve(took);
    });
  });
}

function bareNode(): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(process.execPath, ["-e", "0"], { stdio: "ignore" });
    child.on("error", reject);
    child.on("exit", () => resolve(performance.now() - start));
  });
}
