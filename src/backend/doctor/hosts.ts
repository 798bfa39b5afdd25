import { isStorageError } from "../../contract/index.ts";
import type { HostSettings } from "../../ssh/index.ts";
import type { Fleet } from "../fleet.ts";
import type { Problem } from "./examine.ts";

/** What there is to say of one host. */
export interface HostExamination {
  readonly name: string;
  readonly address: string;
  /** Whom commands run as there; `null` where none could be run. */
  readonly user: string | null;
  readonly problem: Pick<Problem, "reason" | "nextStep"> | null;
}

const tools = ["flock", "setsid", "find", "grep", "sed", "stat", "sync"];

// Arguments: the tools. Prints the user, then what is missing.
const checkScript = `
id -un 2>/dev/null || id -u
for tool do command -v "$tool" >/dev/null || echo "$tool"; done
`;

/** Logs in to every configured host at a time, and runs a command there. Changes nothing. */
export function examineHosts(fleet: Fleet, signal?: AbortSignal): Promise<readonly HostExamination[]> {
  return Promise.all(
    Object.values(fleet.settings.hosts).map((settings) => examineHost(fleet, settings, signal)),
  );
}

async function examineHost(
  fleet: Fleet,
  settings: HostSettings,
  signal: AbortSignal | undefined,
): Promise<HostExamination> {
  const { name, address, port = 22 } = settings;
  const known = { name, address: `${address}:${port}` };
  try {
    const { host } = fleet.consumer(settings);
    const { stdout, stderr, exitCode } = await host.run(["sh", "-c", checkScript, "breezeblock", ...tools], {
      signal,
    });
    const [user = "", ...missing] = stdout
      .toString()
      .split("\n")
      .filter((line) => line !== "");
    if (exitCode !== 0 || user === "") {
      const reason = `A command ended with exit code ${exitCode} there: ${stderr.toString().trim()}`;
      return { ...known, user: null, problem: { reason, nextStep: null } };
    }
    const reason = `Tools are missing there: ${missing.join(", ")}`;
    const nextStep = "Install them (packages util-linux, findutils, grep, sed and coreutils)";
    return { ...known, user, problem: missing.length === 0 ? null : { reason, nextStep } };
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return { ...known, user: null, problem: { reason: error.reason, nextStep: error.nextStep ?? null } };
  }
}
