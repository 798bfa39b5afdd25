import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type EngineName, engineNames } from "./options.ts";

/** How to get each, in one line. */
const sources: Readonly<Record<EngineName, string>> = {
  pulumi: "curl -fsSL https://get.pulumi.com | sh  (or https://www.pulumi.com/docs/install)",
  tofu: "https://opentofu.org/docs/intro/install  (or: brew install opentofu)",
  terraform: "https://developer.hashicorp.com/terraform/install  (or: brew install hashicorp/tap/terraform)",
};

export interface FoundEngine {
  readonly name: EngineName;
  /** Absolute path of the command. */
  readonly path: string;
}

/** The engine that is asked for, or the first that is there. Throws an `Error` that says how to get one. */
export function findEngine(wanted: EngineName | undefined, searchPath: string): FoundEngine {
  const candidates = wanted === undefined ? engineNames : [wanted];
  for (const name of candidates) {
    const path = findCommand(name, searchPath);
    if (path !== undefined) return { name, path };
  }
  const width = Math.max(...candidates.map((name) => name.length));
  const lines = candidates.map((name) => `  ${name.padEnd(width)}  ${sources[name]}\n`);
  const missing =
    wanted === undefined
      ? `None of ${engineNames.join(", ")} is on PATH. Any one of them will do:`
      : `${wanted} is not on PATH. To get it:`;
  throw new Error(`${missing}\n\n${lines.join("")}`);
}

function findCommand(name: string, searchPath: string): string | undefined {
  return searchPath
    .split(delimiter)
    .filter((directory) => directory !== "")
    .map((directory) => join(directory, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
