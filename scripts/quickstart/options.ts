import { parseArgs } from "node:util";

/** In the order in which they are looked for. */
export const engineNames = ["pulumi", "tofu", "terraform"] as const;
export type EngineName = (typeof engineNames)[number];

export interface Options {
  /** Undefined: the first that is there. */
  readonly engine: EngineName | undefined;
  /** Leave the working folder and the storage directory when all is done. */
  readonly keep: boolean;
}

export const usage = `Usage: npm run quickstart [-- [--engine terraform|tofu|pulumi] [--keep]]

The whole life of a volume, with a real engine and a storage host on this machine.

  --engine NAME  the engine to use; else the first on PATH of ${engineNames.join(", ")}
  --keep         keep the working folder and the storage directory, to go on by hand
`;

/** Throws an `Error` whose message says what is wrong with `args`. Undefined when help is asked for. */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      engine: { type: "string" },
      keep: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  const engine = engineNames.find((name) => name === values.engine);
  if (values.engine !== undefined && engine === undefined) {
    throw new Error(`There is no engine "${values.engine}"; there are ${engineNames.join(", ")}.`);
  }
  return { engine, keep: values.keep };
}
