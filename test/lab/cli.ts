import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { holdingLock } from "../support/process-lock.ts";
import { sshArguments } from "../support/ssh-client.ts";
import { ensureLab } from "./availability.ts";
import { plantForeign } from "./foreign.ts";
import type { Guest } from "./guest.ts";
import { Lab, type LabRecord } from "./lab.ts";
import { isAlive } from "./process-identity.ts";
import { removeRunDirectory } from "./run-directory.ts";

const usage = `Usage: npm run lab -- COMMAND
  up [--storage N] [--consumers N] [--foreign]
                       start storage and consumer hosts (one each); builds their image first
  down                 end them
  status [--json]      how to reach them
  ssh NAME [COMMAND…]  log in as root, or run a command
  reset [NAME…]        put fresh hosts in their place`;

class UsageError extends Error {}

const recordFile = join(stateDirectory(), "running.json");
const portals = { iscsi: 3260, nvmet: 4420 } as const;

async function up(args: readonly string[]): Promise<void> {
  const count = { type: "string", default: "1" } as const;
  const flag = { type: "boolean", default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { storage: count, consumers: count, foreign: flag },
  });
  if ((await running()) !== undefined)
    throw new UsageError("The lab is up already; `reset` gives fresh hosts.");
  const lab = await ensureLab({ mayInstall: true });
  if (!lab.available) throw new UsageError(lab.reason.replace(/^left out: /, ""));
  const started = await Lab.start(
    {
      storage: countOf("storage", values.storage),
      consumers: countOf("consumers", values.consumers),
    },
    { lifetime: "until told", report: (step) => console.log(`${step} …`), onRecord: keep },
  );
  keep(started.record);
  const [storage] = started.storage;
  if (values.foreign && storage !== undefined) await plantForeign(storage, started.consumers[0]);
  printTable(started);
  release(started);
}

async function down(): Promise<void> {
  const lab = await running();
  if (lab === undefined) return console.log("The lab is not up.");
  await lab.stop();
  rmSync(recordFile, { force: true });
}

async function status(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { json: { type: "boolean" } } });
  const lab = await running();
  if (values.json === true) console.log(JSON.stringify(lab?.guests.map(describe) ?? [], undefined, 2));
  else if (lab === undefined) console.log("The lab is not up: `npm run lab -- up` starts it.");
  else printTable(lab);
  if (lab !== undefined) release(lab);
}

async function ssh([name, ...command]: readonly string[]): Promise<void> {
  const lab = await lookUp();
  const guest = lab.guests.find((each) => each.name === name);
  if (guest === undefined) throw new UsageError(`No host ${name ?? ""}; there are ${namesOf(lab)}.`);
  const { address, port, user, private_key_file: privateKeyFile } = guest.providerHost();
  release(lab);
  const args = sshArguments({ address, port, user, privateKeyFile });
  const child = spawn("ssh", [...(command.length === 0 ? ["-t"] : []), ...args, ...command], {
    stdio: "inherit",
  });
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 255));
  });
}

async function reset(names: readonly string[]): Promise<void> {
  const lab = await lookUp();
  const unknown = names.find((name) => !lab.guests.some((guest) => guest.name === name));
  if (unknown !== undefined) throw new UsageError(`No host ${unknown}; there are ${namesOf(lab)}.`);
  await lab.reset(names.length === 0 ? undefined : names);
  keep(lab.record);
  release(lab);
}

/** One host as `status --json` shows it. */
function describe(guest: Guest): Record<string, unknown> {
  const [first, second] = guest.storageAddresses;
  return {
    name: guest.name,
    role: guest.role,
    running: guest.record.process !== undefined && isAlive(guest.record.process),
    ...guest.providerHost(),
    storage_address: first,
    storage_addresses: [first, second],
    ...(guest.role === "consumer"
      ? { initiator: guest.initiator, host_nqn: guest.hostNqn }
      : storageOf(guest)),
  };
}

function storageOf(guest: Guest): Record<string, unknown> {
  const at = (port: number) => guest.storageAddresses.map((address) => `${address}:${port}`);
  return {
    volume_group: "vg0",
    thin_pool: "pool0",
    spare_disk: "/dev/ubdc",
    portals: { iscsi: at(portals.iscsi), nvmet: at(portals.nvmet) },
  };
}

function printTable(lab: Lab): void {
  for (const guest of lab.guests) {
    const { address, port, user, private_key_file: key } = guest.providerHost();
    const alive = guest.record.process !== undefined && isAlive(guest.record.process);
    console.log(`${guest.name}  ${alive ? "running" : "not running"}  ${guest.storageAddresses.join(" ")}`);
    console.log(`  ssh -i ${key} -p ${port} ${user}@${address}`);
  }
}

async function lookUp(): Promise<Lab> {
  const lab = await running();
  if (lab === undefined) throw new UsageError("The lab is not up: `npm run lab -- up` starts it.");
  return lab;
}

/** The lab that an earlier `up` started, unless this machine was restarted since. */
async function running(): Promise<Lab | undefined> {
  if (!existsSync(recordFile)) return undefined;
  const record = JSON.parse(readFileSync(recordFile, "utf8")) as LabRecord;
  if (isAlive(record.network.process)) return Lab.open(record);
  await removeRunDirectory(record.directory);
  rmSync(recordFile, { force: true });
  return undefined;
}

function keep(record: LabRecord): void {
  const next = `${recordFile}.${process.pid}`;
  writeFileSync(next, JSON.stringify(record), { mode: 0o600 });
  renameSync(next, recordFile);
}

/** Lets this process end while the guests go on. */
function release(lab: Lab): void {
  for (const guest of lab.guests) guest.release();
}

function stateDirectory(): string {
  const directory = join(process.env["XDG_STATE_HOME"] || join(homedir(), ".local/state"), "breezeblock-lab");
  mkdirSync(directory, { recursive: true });
  return directory;
}

function countOf(option: string, value: string): number {
  if (!/^[1-9]$/.test(value)) throw new UsageError(`--${option} takes a number from 1 to 9, not ${value}.`);
  return Number(value);
}

function namesOf(lab: Lab): string {
  return lab.guests.map((guest) => guest.name).join(", ");
}

const commands: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  up: exclusively(up),
  down: exclusively(down),
  reset: exclusively(reset),
  status,
  ssh,
};

/** Two people's commands, or a person's two, do not change the lab at once. */
function exclusively(command: (args: readonly string[]) => Promise<void>) {
  return (args: readonly string[]) =>
    holdingLock(join(stateDirectory(), "command.lock"), "The end of another lab command", 600_000, () =>
      command(args),
    );
}

const [name = "", ...rest] = process.argv.slice(2);
const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
try {
  if (command === undefined) throw new UsageError(usage);
  await command(rest);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
