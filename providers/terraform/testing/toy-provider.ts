import {
  DiagnosticsError,
  defineDataSource,
  defineEphemeral,
  errorAt,
  integer,
  type Provider,
  string,
  stringList,
} from "../../../resources/schema/index.ts";
import { fileStore, memoryStore, storeOf, type ToyStore, toyFleet } from "./toy-store.ts";
import { toyThing } from "./toy-thing.ts";

const toyThings = defineDataSource({
  name: "things",
  description: "All things whose name begins so.",
  attributes: {
    prefix: string("defaulted", { description: "The beginning.", default: "" }),
    names: stringList("computed", { description: "Their names, sorted." }),
    count: integer("computed", { description: "How many they are." }),
  },
  readTimeout: 60_000,
  read: async ({ fleet }, config) => {
    const names = Object.values(storeOf(fleet).all())
      .map((thing) => String(thing["name"]))
      .filter((name) => name.startsWith(config.prefix))
      .sort();
    return { ...config, names, count: names.length };
  },
});

export interface ToyOptions {
  /** Where things are when the settings name no file. */
  readonly store?: ToyStore;
  readonly onConfigure?: () => void;
  readonly onClose?: () => void;
}

/** A secret that is only ever made up. */
const toySecret = defineEphemeral({
  name: "secret",
  description: "A secret of a given length.",
  attributes: {
    length: integer("defaulted", { description: "Its length.", default: 4 }),
    text: string("computed", { description: "The secret.", sensitive: true }),
  },
  readTimeout: 1_000,
  validate: ({ length }) =>
    length === 0 ? [errorAt(["length"], "Invalid length", "It must not be 0.")] : [],
  open: async (_context, config) => ({ ...config, text: "x".repeat(config.length) }),
});

/** A provider of one resource, one data source and one ephemeral resource, which reaches no host. */
export function toyProvider({ store = memoryStore(), onConfigure, onClose }: ToyOptions = {}): Provider {
  return {
    description: "Keeps things in a file.",
    attributes: {
      path: string("optional", { description: "The file; in memory when left out." }),
      token: string("optional", { description: "A secret.", sensitive: true }),
    },
    validate: (config) =>
      config["path"] === "" ? [errorAt(["path"], "Invalid path", "It must not be empty.")] : [],
    configure: async ({ path, token }, logger) => {
      if (token === "wrong") {
        throw new DiagnosticsError([
          errorAt(["token"], "Unable to configure the toy", "The token is wrong."),
        ]);
      }
      logger.log("info", "configured the toy", { path });
      onConfigure?.();
      return toyFleet(typeof path === "string" ? fileStore(path) : store, () => onClose?.());
    },
    resources: [toyThing],
    dataSources: [toyThings],
    ephemerals: [toySecret],
  };
}
