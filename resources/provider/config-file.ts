import { readFile } from "node:fs/promises";
import {
  checkConfig,
  type Diagnostic,
  DiagnosticsError,
  errorAt,
  parseValues,
  type Raw,
} from "../schema/index.ts";
import { type ProviderConfig, providerAttributes } from "./attributes.ts";

const at = ["config_file"] as const;

const { config_file: _ownName, ...fileAttributes } = providerAttributes;

/**
 * Reads the settings in a YAML file.
 *
 * @throws DiagnosticsError with every complaint: not there, not YAML, not of the schema
 */
export async function readConfigFile(path: string): Promise<ProviderConfig> {
  const { values, diagnostics } = parseValues(fileAttributes, await parseYaml(path, await readText(path)));
  const complaints = diagnostics.length > 0 ? diagnostics : checkConfig(fileAttributes, values);
  if (complaints.some(({ severity }) => severity === "error")) {
    throw new DiagnosticsError(complaints.map((complaint) => inFile(path, complaint)));
  }
  return { ...(values as unknown as ProviderConfig), config_file: path };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DiagnosticsError([errorAt(at, "Unable to read the configuration file", `${reason}.`)]);
  }
}

async function parseYaml(path: string, text: string): Promise<Raw> {
  // Loaded only where a file is used: it takes longer to load than the rest of a start takes.
  const { parseDocument } = await import("yaml");
  const document = parseDocument(text, { prettyErrors: true });
  const [problem] = document.errors;
  if (problem !== undefined) {
    throw new DiagnosticsError([
      errorAt(at, "Unable to read the configuration file", `${path} is not YAML: ${problem.message.trim()}`),
    ]);
  }
  return document.toJS({ maxAliasCount: 100 }) as Raw;
}

/** A complaint about a place in the file, which the engine cannot point at, points at the attribute that names the file. */
function inFile(path: string, complaint: Diagnostic): Diagnostic {
  return { ...complaint, detail: `In ${path}: ${complaint.detail}`, path: at };
}
