import {
  boolean,
  type DataSource,
  defineDataSource,
  defineEphemeral,
  defineResource,
  errorAt,
  integer,
  isUnknown,
  object,
  objectMap,
  PartialStateError,
  type Planned,
  type Provider,
  type Resource,
  type State,
  string,
  stringList,
  stringMap,
  type Values,
} from "../../../resources/schema/index.ts";
import { Fleet } from "../../../src/backend/index.ts";
import { StorageError } from "../../../src/contract/index.ts";

const attributes = {
  id: string("computed", { description: "`shelf/<number>`." }),
  name: string("optional_computed", { description: "The box's name." }),
  size: integer("required", { description: "Grows in place, and never shrinks." }),
  paint_colour: string("optional", { description: "The colour.", replaces: true }),
  box_labels: stringMap("optional", { description: "Any strings." }),
  lid: object(
    {
      hinge_count: integer("defaulted", { description: "How many hinges.", default: 2 }),
      made_of: string("optional", { description: "The material." }),
    },
    "optional",
    { description: "The lid." },
  ),
  is_open: boolean("defaulted", { description: "Whether it is open.", default: false }),
  secret_code: string("optional", { description: "The lock's code.", sensitive: true }),
  changed_at: integer("computed", { description: "Counts the changes.", volatile: true }),
} as const;

type Box = State<typeof attributes>;
type PlannedBox = Planned<typeof attributes>;

/** What the toy provider keeps, and how it misbehaves. */
export class ToyShelf {
  readonly boxes = new Map<string, Box>();
  /** Every call of a hook that does something, such as `create shelf/1`. */
  readonly calls: string[] = [];
  readonly noted: string[] = [];
  configured = 0;
  closed = 0;
  /** What `configure` was given last. */
  settings: Values = {};
  /** Resolved before `configure` goes on. */
  gate: Promise<void> = Promise.resolve();
  reachable = true;
  /** The next create or update makes the object, and then fails. */
  failsHalfway = false;
  #last = 0;

  nextId(): string {
    this.#last += 1;
    return `shelf/${this.#last}`;
  }

  reach(): void {
    if (this.reachable) return;
    throw new StorageError({
      kind: "BackendUnreachable",
      action: "reach the shelf",
      reason: "Nobody answers",
    });
  }
}

/** A provider with one resource and one data source, which keeps everything in memory. */
export function toyProvider(shelf = new ToyShelf()): Provider {
  return {
    description: "A shelf of boxes.",
    attributes: {
      owner: string("optional", { description: "Whose shelf." }),
      config_file: string("optional", { description: "More settings." }),
      deep_shelves: objectMap(
        {
          door_key: string("optional", { description: "Opens the door.", sensitive: true }),
          lamp_names: stringList("optional", { description: "Its lamps." }),
          shelf_depth: integer("required", { description: "In centimetres." }),
        },
        "optional",
        { description: "The shelves." },
      ),
      default_labels: stringMap("optional", { description: "On every box." }),
      is_locked: boolean("optional", { description: "Whether it is locked." }),
    },
    validate: (config) =>
      config["is_locked"] === true && config["deep_shelves"] === null
        ? [errorAt(["is_locked"], "Nothing to lock", "is_locked needs deep_shelves.")]
        : [],
    async configure(config) {
      await shelf.gate;
      shelf.configured += 1;
      shelf.settings = config;
      return new ToyFleet(shelf);
    },
    resources: [boxResource(shelf)],
    dataSources: [boxSource(shelf)],
    ephemerals: [keyOfShelf],
  };
}

const keyOfShelf = defineEphemeral({
  name: "shelf_key",
  description: "What opens a shelf.",
  attributes: {
    shelf_name: string("required", { description: "Which shelf." }),
    key_code: string("computed", { description: "The code.", sensitive: true }),
  },
  readTimeout: 1_000,
  open: async (_context, config) => ({ ...config, key_code: `open-${config.shelf_name}` }),
});

class ToyFleet extends Fleet {
  readonly #shelf: ToyShelf;

  constructor(shelf: ToyShelf) {
    super({ owner: "", defaultLabels: {}, deletionProtection: false, hosts: {}, backends: [] });
    this.#shelf = shelf;
  }

  override async close(): Promise<void> {
    this.#shelf.closed += 1;
  }
}

function boxResource(shelf: ToyShelf): Resource {
  return defineResource<typeof attributes>({
    name: "box",
    description: "A box on the shelf.",
    version: 1,
    attributes,
    identity: { id: { description: "The id.", of: ({ id }) => id } },
    timeouts: { create: 1_000, read: 1_000, update: 1_000, delete: 1_000 },

    validate: ({ lid, is_open }) =>
      is_open === true && lid === null
        ? [errorAt(["is_open"], "Invalid is_open", "is_open needs a lid.")]
        : [],

    async plan(context, { planned, prior, replace }) {
      if (prior === null && !isUnknown(planned.name)) {
        if (context?.plannedNames?.has(planned.name)) throw taken(planned.name);
        context?.plannedNames?.add(planned.name);
        if ([...shelf.boxes.values()].some(({ name }) => name === planned.name)) throw exists(planned.name);
      }
      if (prior !== null && !isUnknown(planned.size) && planned.size < prior.size) {
        throw new StorageError({
          kind: "InvalidInput",
          action: `shrink box "${prior.name}"`,
          reason: `It has size ${prior.size}`,
          attribute: ["size"],
        });
      }
      return { planned, replace };
    },

    async planDelete(_context, prior) {
      if (prior.box_labels?.["keep_me"] !== undefined) {
        throw new StorageError({
          kind: "DeletionProtected",
          action: `delete box "${prior.name}"`,
          reason: "It is kept",
        });
      }
    },

    async read(_context, state) {
      shelf.reach();
      return shelf.boxes.get(state.id) ?? null;
    },

    async create(_context, planned) {
      shelf.reach();
      return store(shelf, "create", shelf.nextId(), planned);
    },

    async update(_context, prior, planned) {
      shelf.reach();
      return store(shelf, "update", prior.id, planned);
    },

    async delete(_context, state) {
      shelf.reach();
      shelf.calls.push(`delete ${state.id}`);
      shelf.boxes.delete(state.id);
    },

    async import(_context, request) {
      shelf.reach();
      const wanted = "id" in request ? request.id : (request.identity["id"] ?? "");
      const found = [...shelf.boxes.values()].find(
        ({ id, name }) => id === wanted || `shelf/${name}` === wanted,
      );
      if (found !== undefined) return found;
      throw new StorageError({
        kind: "VolumeNotFound",
        action: `import box "${wanted}"`,
        reason: "There is none",
      });
    },

    upgrade: (version, state) =>
      version === 0 ? { ...state, paint_colour: state["colour"] ?? null } : state,
    noteState: (_fleet, { id }) => shelf.noted.push(id),
  });
}

function taken(name: string): StorageError {
  return new StorageError({
    kind: "AlreadyExists",
    action: `create box "${name}" twice`,
    reason: "Two resources have this name",
    attribute: ["name"],
  });
}

function exists(name: string): StorageError {
  return new StorageError({ kind: "AlreadyExists", action: `create box "${name}"`, reason: "There is one" });
}

function store(shelf: ToyShelf, call: string, id: string, planned: PlannedBox): Box {
  shelf.calls.push(`${call} ${id}`);
  const { name } = planned;
  const box = {
    ...planned,
    id,
    name: isUnknown(name) ? `box-${id}` : name,
    changed_at: shelf.calls.length,
  } as Box;
  shelf.boxes.set(id, box);
  if (!shelf.failsHalfway) return box;
  shelf.failsHalfway = false;
  throw new PartialStateError(
    box as Values,
    new StorageError({ kind: "VolumeBackendError", action: `paint box "${box.name}"`, reason: "No paint" }),
  );
}

function boxSource(shelf: ToyShelf): DataSource {
  return defineDataSource({
    name: "box",
    description: "Looks a box up.",
    attributes: {
      box_name: string("required", { description: "Its name." }),
      found_size: integer("computed_nullable", { description: "Its size, where there is one." }),
    },
    readTimeout: 1_000,
    async read(_context, config) {
      const found = [...shelf.boxes.values()].find(({ name }) => name === config.box_name);
      return { box_name: config.box_name, found_size: found?.size ?? null };
    },
  });
}
