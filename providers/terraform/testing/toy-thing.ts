import { randomUUID } from "node:crypto";
import {
  boolean,
  choice,
  defineResource,
  errorAt,
  integer,
  number,
  object,
  objectList,
  objectMap,
  PartialStateError,
  string,
  stringList,
  stringMap,
  timeouts,
  UNKNOWN,
  type Values,
} from "../../../resources/schema/index.ts";
import { StorageError } from "../../../src/contract/index.ts";
import { storeOf } from "./toy-store.ts";

const attributes = {
  name: string("required", {
    description: "The **name** of the thing. It changes in place.",
    validators: [
      {
        description: "not be empty",
        check: (value: string) => (value === "" ? 'It must not be empty, not "".' : undefined),
      },
    ],
  }),
  size: integer("required", { description: "In GiB." }),
  flavour: choice(["plain", "fancy"], "defaulted", {
    description: "Another flavour is another thing.",
    default: "plain",
    replaces: true,
  }),
  ratio: number("optional", { description: "Any number." }),
  enabled: boolean("defaulted", { description: "Whether it is on.", default: true }),
  labels: stringMap("optional", { description: "Any texts." }),
  tags: stringList("optional", { description: "Texts in order." }),
  region: string("optional_computed", { description: "Where it is; chosen when not set." }),
  old: string("optional", { description: "Out of use.", deprecated: "Use `name`." }),
  secret: string("optional", { description: "Sent but never kept.", writeOnly: true }),
  connector: object(
    {
      initiator: string("required", { description: "Who connects." }),
      ip: string("optional", { description: "From where." }),
    },
    "optional",
    { description: "One object." },
  ),
  ports: objectMap(
    {
      number: integer("required", { description: "The port." }),
      secure: boolean("defaulted", { description: "With TLS.", default: false }),
    },
    "optional",
    { description: "Objects by name." },
  ),
  rules: objectList(
    { action: choice(["allow", "deny"], "required", { description: "What to do." }) },
    "optional",
    { description: "Objects in order." },
  ),
  behaviour: choice(
    ["fail_create", "hang_create", "fail_update", "fail_read", "protect", "warn"],
    "optional",
    { description: "What goes wrong, for tests." },
  ),
  timeouts: timeouts("create", "read", "update", "delete"),
  id: string("computed", { description: "Given when it is made." }),
  revision: integer("computed", { description: "Counts its changes.", volatile: true }),
  secret_length: integer("computed_nullable", { description: "Of the secret.", volatile: true }),
};

function failure(action: string, attribute?: readonly (string | number)[]): StorageError {
  return new StorageError({
    kind: "VolumeBackendError",
    action,
    reason: "the toy was told to fail",
    nextStep: "Tell it otherwise",
    attribute,
  });
}

/** Resolves never; rejects when the user interrupts. */
function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const onAbort = () =>
      reject(
        new StorageError({ kind: "Cancelled", action: "make the thing", reason: "interrupted half-way" }),
      );
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** Stands in for every resource in tests: it has attributes of every kind, and goes wrong when told so. */
export const toyThing = defineResource({
  name: "thing",
  description: "A thing that is _kept_ in a file.",
  version: 1,
  attributes,
  identity: { thing_id: { description: "Its id.", of: (state) => state.id } },
  timeouts: { create: 60_000, read: 60_000, update: 60_000, delete: 60_000 },

  validate: (config) =>
    config.size === 13 && config.enabled === true
      ? [errorAt(["size"], "Invalid size", "13 is only for things that are off.")]
      : [],

  plan: async (context, { planned, prior, replace, private: carried }) => {
    if (prior !== null && typeof planned.size === "number" && planned.size < prior.size) {
      throw new StorageError({
        kind: "InvalidInput",
        action: `shrink thing "${prior.name}"`,
        reason: "things only grow",
        attribute: ["size"],
      });
    }
    if (planned.behaviour === "warn") {
      context?.warn({ summary: "A warning", detail: "As asked.", path: ["behaviour"] });
    }
    return {
      planned,
      replace,
      private: { ...carried, ...(prior !== null && { planned_from: prior.revision }) },
    };
  },

  planDelete: async (_context, prior) => {
    if (prior.behaviour === "protect") throw failure(`delete thing "${prior.name}"`);
  },

  read: async ({ fleet }, state) => {
    const found = storeOf(fleet).get(state.id);
    if (state.behaviour === "fail_read") throw failure(`read thing "${state.name}"`);
    return found === undefined ? null : ({ ...state, ...found, timeouts: state.timeouts } as typeof state);
  },

  create: async ({ fleet, signal }, planned) => {
    const id = randomUUID();
    const state = keep(storeOf(fleet), { ...planned, id, revision: 1 });
    if (planned.behaviour === "fail_create") {
      throw new PartialStateError(state, failure("finish the thing", ["connector", "initiator"]));
    }
    if (planned.behaviour === "hang_create") {
      await hang(signal).catch((error: unknown) => {
        throw new PartialStateError(state, error);
      });
    }
    return state as never;
  },

  update: async ({ fleet }, prior, planned) => {
    if (planned.behaviour === "fail_update") throw failure(`change thing "${prior.name}"`);
    return keep(storeOf(fleet), { ...planned, revision: prior.revision + 1 }) as never;
  },

  delete: async ({ fleet }, state) => storeOf(fleet).remove(state.id),

  import: async ({ fleet }, request) => {
    const things = Object.entries(storeOf(fleet).all());
    const wanted = "id" in request ? request.id : request.identity["thing_id"];
    const found = things.find(([id, thing]) => id === wanted || thing["name"] === wanted);
    if (found === undefined) {
      throw new StorageError({
        kind: "VolumeNotFound",
        action: `import thing "${wanted}"`,
        reason: "there is no such thing",
      });
    }
    return found[1] as never;
  },

  upgrade: (version, { title, ...state }) => (version === 0 ? { ...state, name: title ?? null } : state),
});

/** Knows where everything is and how long the secret was. */
function keep(store: ReturnType<typeof storeOf>, { secret, ...planned }: Values): Values {
  const state = {
    ...planned,
    secret: null,
    region: planned["region"] === UNKNOWN ? "here" : (planned["region"] ?? null),
    secret_length: typeof secret === "string" ? secret.length : null,
  } as Values;
  store.put(String(state["id"]), { ...state, timeouts: null });
  return state;
}
