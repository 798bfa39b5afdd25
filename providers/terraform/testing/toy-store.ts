import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Values } from "../../../resources/schema/index.ts";
import type { Fleet } from "../../../src/backend/index.ts";

/** What the toy's "backend" holds, by id. */
export interface ToyStore {
  all(): Readonly<Record<string, Values>>;
  get(id: string): Values | undefined;
  put(id: string, values: Values): void;
  remove(id: string): void;
}

export function memoryStore(): ToyStore {
  const things = new Map<string, Values>();
  return {
    all: () => Object.fromEntries(things),
    get: (id) => things.get(id),
    put: (id, values) => void things.set(id, values),
    remove: (id) => void things.delete(id),
  };
}

/** For runs of several processes, one after the other. */
export function fileStore(path: string): ToyStore {
  const read = (): Record<string, Values> => {
    try {
      return JSON.parse(readFileSync(path, "utf8")) as Record<string, Values>;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
      throw error;
    }
  };
  const write = (things: Record<string, Values>) => {
    writeFileSync(`${path}.new`, JSON.stringify(things));
    renameSync(`${path}.new`, path);
  };
  return {
    all: read,
    get: (id) => read()[id],
    put: (id, values) => write({ ...read(), [id]: values }),
    remove: (id) => {
      const { [id]: _removed, ...rest } = read();
      write(rest);
    },
  };
}

const stores = new WeakMap<Fleet, ToyStore>();

/** The toy has no backends: its fleet only leads to the store. */
export function toyFleet(store: ToyStore, onClose: () => void): Fleet {
  const fleet = { close: async () => onClose() } as unknown as Fleet;
  stores.set(fleet, store);
  return fleet;
}

export function storeOf(fleet: Fleet): ToyStore {
  const store = stores.get(fleet);
  if (store === undefined) throw new Error("This is not a fleet of the toy.");
  return store;
}
