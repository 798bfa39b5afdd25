import { DiagnosticsError, provider } from "../../../resources/index.ts";
import { examine, examineHosts, inspect, type Knowledge, removeFinding } from "../../backend/doctor/index.ts";
import type { Backend, Fleet } from "../../backend/index.ts";
import { isStorageError } from "../../contract/index.ts";
import { type Command, type Terminal, UsageError } from "../command.ts";
import { inRemovalOrder } from "../doctor/order.ts";
import {
  areSound,
  type ExaminedBackend,
  isHealthy,
  listed,
  type PlacedFinding,
  type Removal,
  type Report,
  toJson,
} from "../doctor/report.ts";
import { StateFileError } from "../doctor/state-file.ts";
import { StateSource } from "../doctor/state-source.ts";
import { examineStates, knowledgeOf, statedOn } from "../doctor/stated.ts";
import { removalLine, removalPlan, toText } from "../doctor/text.ts";
import { parseOptions } from "../parse-options.ts";

const help = `Usage: breezeblock doctor [--state FILE]… [--json] [--remove ID… | --remove-all]

Checks every configured host and backend, and lists what is nobody's any more:
volumes, snapshots, attachments, exports, access and half-made things that carry
this owner's mark and that no state holds. Changes nothing unless told.

Options:
  --config FILE    the provider's settings in YAML; default BREEZEBLOCK_CONFIG_FILE,
                   or breezeblock.yaml
  --owner NAME     whose things to look at; default the file's, or BREEZEBLOCK_OWNER
  --state FILE     a state of this owner, as it is now; all of them are needed.
                   terraform.tfstate, or what "terraform show -json", "terraform
                   state pull" or "pulumi stack export" print; - reads standard input
  --json           print one JSON object: docs/doctor.md
  --min-age N      what is unfinished, left over or in no state, and younger than N
                   minutes, may belong to a run under way, and is left alone; default 60
  --state-is-complete
                   there is no state but those given, and they are as they are now:
                   what none of them holds is nobody's, also on backends of which
                   they hold nothing
  --remove ID      remove that finding; several can be given
  --remove-all     remove all findings that can be, with --state; asks first
  --yes            do not ask
  --force          take access also from who uses it, or may; remove also what a run
                   may be filling without a job
  --help           show this text

Exit status: 0 all is well, or all was removed; 1 there are findings, or something
is not well, or was not removed; 2 nothing could be checked.
`;

const defaultConfigFile = "breezeblock.yaml";
const defaultMinAge = "60";

/** `breezeblock doctor`: what is not well, and what is nobody's. */
export const doctorCommand: Command = {
  name: "doctor",
  summary: "check hosts and backends, and list or remove what no state holds",
  help,
  async run(args, terminal) {
    const options = readOptions(args, terminal);
    try {
      return await check(options, terminal);
    } catch (error) {
      if (error instanceof StateFileError || error instanceof DiagnosticsError) {
        terminal.stderr(`breezeblock: ${error.message}\n`);
        return 2;
      }
      throw error;
    }
  },
};

type Options = ReturnType<typeof readOptions>;

function readOptions(args: readonly string[], terminal: Terminal) {
  const options = parseOptions(args, {
    config: { type: "string" },
    owner: { type: "string" },
    state: { type: "string", multiple: true, default: [] },
    json: { type: "boolean", default: false },
    "min-age": { type: "string", default: defaultMinAge },
    remove: { type: "string", multiple: true, default: [] },
    "remove-all": { type: "boolean", default: false },
    yes: { type: "boolean", default: false },
    force: { type: "boolean", default: false },
    "state-is-complete": { type: "boolean", default: false },
  });
  const minutes = options["min-age"];
  if (!/^\d{1,6}$/.test(minutes)) {
    throw new UsageError(`--min-age takes a whole number of minutes, not "${minutes}"`);
  }
  if (options["remove-all"] && options.remove.length > 0) {
    throw new UsageError("--remove-all and --remove exclude each other");
  }
  if (options["remove-all"] && options.state.length === 0) {
    throw new UsageError("--remove-all needs --state: without it nobody knows what is still wanted");
  }
  if (options["state-is-complete"] && options.state.length === 0) {
    throw new UsageError("--state-is-complete needs --state");
  }
  if (options["remove-all"] && !options.yes && terminal.ask === undefined) {
    throw new UsageError("--remove-all asks on a terminal; where there is none, give --yes");
  }
  if (options.state.filter((file) => file === "-").length > 1) {
    throw new UsageError("standard input is there once only");
  }
  return { ...options, minAgeMs: Number(minutes) * 60_000 };
}

async function check(options: Options, terminal: Terminal): Promise<number> {
  const source = await StateSource.open(options.state);
  const fleet = await configuredFleet(options);
  try {
    if (source.states.length > 0 && fleet.settings.owner === "") {
      throw new StateFileError(
        "the configuration has no owner, so nothing on the storage carries its mark, and no state can be judged by; give --owner, or set owner",
      );
    }
    return await checkFleet(fleet, source, options, terminal);
  } finally {
    await fleet.close();
  }
}

interface Survey extends Pick<Report, "states"> {
  readonly backends: readonly (ExaminedBackend & { readonly knowledge: Knowledge })[];
}

async function checkFleet(
  fleet: Fleet,
  source: StateSource,
  options: Options,
  terminal: Terminal,
): Promise<number> {
  const [hosts, survey] = await Promise.all([examineHosts(fleet), look(fleet, source, options)]);
  const found: Report = { owner: fleet.settings.owner, hosts, removals: [], ...survey };
  const wanted = options["remove-all"]
    ? // What cannot be judged by is no ground for removing whatever is left.
      listed(found, "findings").filter(() => areSound(found))
    : options.remove.flatMap((id) => listed(found, "findings").filter(({ finding }) => finding.id === id));
  const isRemoving = options["remove-all"] || options.remove.length > 0;
  if (!options.json && !isRemoving) terminal.stdout(toText(found, source.states.length > 0));
  if (options["remove-all"] && !(await isConfirmed(wanted, options, terminal))) {
    terminal.stderr("breezeblock: nothing was removed.\n");
    return 1;
  }
  const removals: Removal[] = [];
  const tell = (removal: Removal): void => {
    removals.push(removal);
    if (!options.json) terminal.stdout(removalLine(removal));
  };
  for (const id of options.remove) {
    if (!wanted.some(({ finding }) => finding.id === id)) tell(notFound(id, found));
  }
  let newest = survey;
  // A run may have written a state while this waited for a "yes", or removed something else.
  const latest = async (backend: Backend): Promise<Knowledge | StateFileError> => {
    try {
      if (await source.refresh()) newest = await look(fleet, source, options);
    } catch (error) {
      if (error instanceof StateFileError) return error;
      throw error;
    }
    const known = newest.backends.find((one) => one.backend === backend);
    if (known === undefined) throw new Error(`backend ${backend.name} was looked at`);
    return known.knowledge;
  };
  for (const { backend, finding } of inRemovalOrder(wanted)) {
    tell(await remove(backend, finding, { force: options.force, knowledge: await latest(backend) }));
  }
  const report = { ...found, removals };
  const isDone = isRemoving
    ? removals.every(({ outcome }) => outcome !== "refused")
    : listed(report, "findings").length === 0;
  const isWell = isDone && isHealthy(report);
  if (options.json) terminal.stdout(toJson(report, isWell));
  if (isRemoving && !options.json && !isHealthy(report)) {
    terminal.stderr(
      "breezeblock: not everything could be looked at; run doctor without --remove to see why.\n",
    );
  }
  return isWell ? 0 : 1;
}

/** Everything that there is to see, as the states given tell it. */
async function look(fleet: Fleet, { states, writtenAt }: StateSource, options: Options): Promise<Survey> {
  const times = {
    ...{ now: Date.now(), minAgeMs: options.minAgeMs, statesWrittenAt: writtenAt },
    isComplete: options["state-is-complete"],
  };
  const inspected = await Promise.all(
    fleet.backends.map(async (backend) => ({
      backend,
      inspection: await inspect(backend, statedOn(backend, states)),
    })),
  );
  // Only after all backends have been looked at is it known what a state is worth on any of them.
  const examinations = examineStates(inspected, states);
  const backends = await Promise.all(
    inspected.map(async (one) => {
      const knowledge = knowledgeOf(one, states, examinations, times);
      const examination = await examine(one.backend, one.inspection, knowledge);
      return { backend: one.backend, knowledge, examination };
    }),
  );
  return { backends, states: examinations };
}

async function remove(
  backend: Backend,
  finding: PlacedFinding["finding"],
  { force, knowledge }: { readonly force: boolean; readonly knowledge: Knowledge | StateFileError },
): Promise<Removal> {
  if (knowledge instanceof StateFileError) {
    return {
      ...{ id: finding.id, outcome: "refused", reason: knowledge.message },
      nextStep: "Give the states as they are now",
    };
  }
  try {
    const outcome = await removeFinding(backend, finding, { knowledge, force });
    return { id: finding.id, outcome, reason: null, nextStep: null };
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return { id: finding.id, outcome: "refused", reason: error.reason, nextStep: error.nextStep ?? null };
  }
}

function notFound(id: string, report: Report): Removal {
  const other = [...listed(report, "inProgress"), ...listed(report, "retained")].find(
    ({ finding }) => finding.id === id,
  )?.finding;
  if (other !== undefined) return { id, outcome: "refused", reason: other.reason, nextStep: other.nextStep };
  return {
    ...{ id, outcome: "refused", reason: "Nothing of that id was found that is nobody's" },
    nextStep:
      report.states.length === 0
        ? "Give --state: without it volumes, snapshots and attachments are not judged"
        : areSound(report)
          ? "Take the id from what doctor lists"
          : "Run doctor without --remove: a state given cannot be judged by, so nothing is called an orphan",
  };
}

async function isConfirmed(
  findings: readonly PlacedFinding[],
  { yes }: Options,
  terminal: Terminal,
): Promise<boolean> {
  if (yes || findings.length === 0) return true;
  terminal.stderr(removalPlan(findings));
  return (await terminal.ask?.(`Remove all of these? Their data is lost. Only "yes" is a yes: `)) === "yes";
}

async function configuredFleet({ config, owner }: Options): Promise<Fleet> {
  const file = config ?? process.env["BREEZEBLOCK_CONFIG_FILE"] ?? defaultConfigFile;
  const nothing = { hosts: null, backends: null, default_labels: null, deletion_protection: null };
  return provider.configure(
    { ...nothing, config_file: file, owner: owner ?? null },
    { log: () => undefined },
  );
}
