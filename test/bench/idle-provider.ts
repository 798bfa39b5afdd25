import { randomUUID } from "node:crypto";
import {
  type AttributeType,
  type Provider,
  provider,
  type Resource,
  UNKNOWN,
  type Values,
} from "../../resources/index.ts";

/**
 * The floor: the same provider with hooks that do nothing. What an engine takes with it is the price of engine and
 * protocol; what ours takes beyond it is the price of what ours does.
 */
export const idleProvider: Provider = {
  ...provider,
  validate: () => [],
  configure: async () => ({ close: async () => undefined }) as Awaited<ReturnType<Provider["configure"]>>,
  resources: provider.resources.map(idle),
  dataSources: [],
};

function idle(resource: Resource): Resource {
  const settle = (planned: Values): Values =>
    Object.fromEntries(
      Object.entries(resource.attributes).map(([name, { type }]) => {
        const value = planned[name] ?? null;
        return [name, value !== UNKNOWN ? value : name === "id" ? `idle/${randomUUID()}` : placeholder(type)];
      }),
    );
  return {
    ...resource,
    validate: () => [],
    plan: async (_context, { planned, replace }) => ({ planned, replace }),
    planDelete: async () => undefined,
    read: async (_context, state) => state,
    create: async (_context, planned) => settle(planned),
    update: async (_context, _prior, planned) => settle(planned),
    delete: async () => undefined,
    noteState: () => undefined,
  };
}

function placeholder(type: AttributeType): Values[string] {
  if (type.kind === "string") return "idle";
  if (type.kind === "integer" || type.kind === "number") return 1;
  if (type.kind === "boolean") return false;
  return type.kind === "list" || type.kind === "object_list" ? [] : {};
}
