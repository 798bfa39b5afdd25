import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../support/free-port.ts";
import { waitFor } from "../support/wait-for.ts";
import { type Accelerator, findAccelerators } from "./accelerator.ts";
import { cached, hashOf } from "./cache.ts";
import { GuestConnection, type RunOptions } from "./connection.ts";
import { execute } from "./execute.ts";
import { dataDiskSizes, hardwareArguments } from "./hardware.ts";
import { guestIdentity, type Role } from "./identity.ts";
import { findImage, type Image } from "./image.ts";
import { killProcess } from "./process-identity.ts";
import { monitorOf, startQemu } from "./qemu.ts";
import { type Qmp, withQmp } from "./qmp.ts";

/** A running guest of one role, frozen: clones of it go on from there. Its files are never written again. */
export interface FrozenGuest {
  readonly memory: string;
  readonly state: string;
  readonly rootDisk: string;
  readonly dataDisks: readonly string[];
}

export interface Template {
  readonly image: Image;
  readonly accelerator: Accelerator;
  readonly frozen: Readonly<Record<Role, FrozenGuest>>;
}

const names = { memory: "memory", state: "state", rootDisk: "root.qcow2" };
const dataDiskNames = dataDiskSizes.map((_, index) => `disk${index}.raw`);
const frozenFiles = [...Object.values(names), ...dataDiskNames];

/** What besides the image decides what a template is. */
const ingredients = ["provision", "template.ts", "hardware.ts", "identity.ts"].map((name) =>
  fileURLToPath(new URL(name, import.meta.url)),
);

/** The template, built unless the cache has it, with the best accelerator under which guests come up. */
export async function findTemplate(report: (step: string) => void): Promise<Template> {
  const image = await findImage(report);
  const accelerators = await findAccelerators();
  let failure: unknown;
  for (const accelerator of accelerators) {
    try {
      return await templateFor(image, accelerator, report);
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

async function templateFor(
  image: Image,
  accelerator: Accelerator,
  report: (step: string) => void,
): Promise<Template> {
  const directory = await cached({
    kind: "template",
    key: hashOf(ingredients, [image.key, accelerator.key]),
    files: (["storage", "consumer"] as const).flatMap((role) => frozenFiles.map((file) => join(role, file))),
    make: (building) => {
      report("booting a guest, setting up its storage and freezing it");
      return makeTemplate(building, image, accelerator);
    },
  });
  const frozen = (role: Role): FrozenGuest => ({
    memory: join(directory, role, names.memory),
    state: join(directory, role, names.state),
    rootDisk: join(directory, role, names.rootDisk),
    dataDisks: dataDiskNames.map((name) => join(directory, role, name)),
  });
  return { image, accelerator, frozen: { storage: frozen("storage"), consumer: frozen("consumer") } };
}

async function makeTemplate(directory: string, image: Image, accelerator: Accelerator): Promise<void> {
  // Sockets have short paths, wherever the cache is.
  const running = mkdtempSync(join(tmpdir(), "breezeblock-lab-template-"));
  const working = join(directory, "working");
  mkdirSync(working);
  const files = (into: string) => frozenFiles.map((name) => join(into, name));
  const [memory = "", , rootDisk = "", ...dataDisks] = files(working);
  // Relative, and so true after the directory gets its name: images and templates are side by side.
  const base = join("..", "..", `image-${image.key}`, "root.raw");
  await execute("qemu-img", ["create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", rootDisk]);
  for (const [index, disk] of dataDisks.entries()) {
    await execute("qemu-img", ["create", "-q", "-f", "raw", disk, String(dataDiskSizes[index])]);
  }
  const sshPort = await freePort();
  const consoleFile = join(running, "console");
  const hardware = {
    ...{ image, accelerator, rootDisk, dataDisks, sshPort, consoleFile },
    identity: guestIdentity("storage", 1),
    memory: { file: memory, shared: true },
    storageNetworks: ["hubport,hubid=1", "hubport,hubid=2"],
  };
  const process = await startQemu(running, hardwareArguments(hardware), "with its starter");
  const guest = new GuestConnection(sshPort, image.privateKeyFile);
  try {
    await guest.ready(accelerator.bootDeadlineMs);
    for (const step of ["common", "consumer"]) await guest.run("sh -s", provisioning(step));
    // A frozen login would be one of every clone.
    guest.close();
    await withQmp(monitorOf(running), async (qmp) => {
      await freeze(qmp, working, join(directory, "consumer"));
      await qmp.execute("cont");
      await guest.run("sh -s", provisioning("storage"));
      guest.close();
      await freeze(qmp, working, join(directory, "storage"));
    });
  } catch (error) {
    throw new Error(
      `The template was not made. Its console: ${readFileSync(consoleFile, "utf8").slice(-2000)}`,
      {
        cause: error,
      },
    );
  } finally {
    guest.close();
    await killProcess(process);
    for (const temporary of [running, working]) rmSync(temporary, { recursive: true });
  }
}

function provisioning(step: string): RunOptions {
  return {
    input: readFileSync(new URL(`provision/${step}.sh`, import.meta.url), "utf8"),
    timeoutMs: 300_000,
  };
}

/** Stops the guest whose memory and disks are in `working`, and copies it with its processor's state to `into`. */
async function freeze(qmp: Qmp, working: string, into: string): Promise<void> {
  mkdirSync(into);
  await qmp.execute("stop");
  // The memory is a file already.
  const capability = { capability: "x-ignore-shared", state: true };
  await qmp.execute("migrate-set-capabilities", { capabilities: [capability] });
  await qmp.execute("migrate", { uri: `exec:cat > '${join(into, names.state)}'` });
  await waitFor("The freezing", async () => {
    const status = await qmp.status("query-migrate");
    if (status === "failed") throw new Error("QEMU could not write the guest's state.");
    return status === "completed";
  });
  for (const name of [names.memory, names.rootDisk, ...dataDiskNames]) {
    // Sparse: most of memory and disks is empty.
    await execute("cp", ["--sparse=always", join(working, name), join(into, name)]);
  }
}
