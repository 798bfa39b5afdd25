import { tryParseObjectId } from "../../backend/index.ts";

/** An object of breezeblock's that a state holds. */
export interface StateObject {
  /** In the words of Terraform, without the prefix: `volume`. */
  readonly type: string;
  /** The name of the backend that it is on, as the state has it. */
  readonly backend: string;
  readonly uuid: string;
  /** The identity of the storage that it was made on; `null` where the state does not say. */
  readonly identity: string | null;
}

/** What one state file holds. */
export interface StateFile {
  /** As it was named. */
  readonly file: string;
  readonly format: "terraform" | "pulumi";
  readonly objects: readonly StateObject[];
}

/** A state file that cannot be judged by. Its message says why, and what to give instead. */
export class StateFileError extends Error {
  override readonly name = "StateFileError";
}

/**
 * Reads a state: Terraform's and OpenTofu's own format (version 4) and what `show -json` prints, Pulumi's exported stacks
 * and checkpoint files. Data sources and outputs are not what a state holds, and are passed over.
 *
 * @throws StateFileError
 */
export function parseStateFile(file: string, text: string): StateFile {
  const state = parseJson(file, text);
  const { resources, format } = resourcesOf(file, state);
  return { file, format, objects: resources.flatMap(objectsOf) };
}

type Values = Readonly<Record<string, unknown>>;

/** A resource of ours, in no engine's words. */
interface StateResource {
  /** In snake_case. */
  readonly type: string;
  readonly id: unknown;
  readonly values: Values;
}

function parseJson(file: string, text: string): Values {
  let value: unknown;
  try {
    // Windows shells write a mark before it.
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    throw new StateFileError(`${file} is not JSON`);
  }
  if (isValues(value)) return value;
  throw new StateFileError(`${file} is no state: it is not an object`);
}

function resourcesOf(
  file: string,
  state: Values,
): Pick<StateFile, "format"> & { resources: readonly StateResource[] } {
  if ("encrypted_data" in state) {
    throw new StateFileError(`${file} is encrypted; give what "tofu state pull" or "tofu show -json" prints`);
  }
  if ("planned_values" in state || "resource_changes" in state) {
    throw new StateFileError(
      `${file} is a plan; give what "terraform show -json" prints without a plan's name`,
    );
  }
  if ("format_version" in state) {
    // A state that holds nothing has no values.
    const values = isValues(state["values"]) ? state["values"] : {};
    return { format: "terraform", resources: modules(values["root_module"]) };
  }
  if ("deployment" in state || "checkpoint" in state) {
    return { format: "pulumi", resources: pulumiResources(file, state) };
  }
  if ("serial" in state || "terraform_version" in state) {
    if (state["version"] !== 4) {
      throw new StateFileError(
        `${file} has version ${JSON.stringify(state["version"])} of the state format, and 4 is known; any apply with a current Terraform rewrites it`,
      );
    }
    return { format: "terraform", resources: list(state["resources"]).flatMap(terraformInstances) };
  }
  throw new StateFileError(
    `${file} is no state that is known: give terraform.tfstate, or what "terraform show -json", "terraform state pull" or "pulumi stack export" print`,
  );
}

/** An entry of `resources` in `terraform.tfstate`, deposed instances included. */
function terraformInstances(resource: Values): StateResource[] {
  const type = terraformType(resource);
  if (type === undefined) return [];
  return list(resource["instances"]).flatMap(({ attributes }) =>
    isValues(attributes) ? [{ type, id: attributes["id"], values: attributes }] : [],
  );
}

/** A module in what `show -json` prints, with those below it. */
function modules(module: unknown): StateResource[] {
  if (!isValues(module)) return [];
  const own = list(module["resources"]).flatMap((resource): StateResource[] => {
    const type = terraformType(resource);
    const { values } = resource;
    return type === undefined || !isValues(values) ? [] : [{ type, id: values["id"], values }];
  });
  return [...own, ...list(module["child_modules"]).flatMap(modules)];
}

function terraformType({ mode, type }: Values): string | undefined {
  if (mode !== "managed" || typeof type !== "string") return undefined;
  return /^breezeblock_(.+)$/.exec(type)?.[1];
}

function pulumiResources(file: string, state: Values): readonly StateResource[] {
  if (state["version"] !== undefined && state["version"] !== 3) {
    throw new StateFileError(
      `${file} has version ${JSON.stringify(state["version"])} of Pulumi's format, and 3 is known; give what "pulumi stack export" prints`,
    );
  }
  const { checkpoint } = state;
  const deployment = isValues(checkpoint) ? (checkpoint["latest"] ?? {}) : (state["deployment"] ?? {});
  if (!isValues(deployment))
    throw new StateFileError(`${file} is no export of a stack: its deployment is not an object`);
  return list(deployment["resources"]).flatMap(({ type, id, outputs, external }): StateResource[] => {
    // What a program only reads is not the stack's.
    const [, name] = /\bbreezeblock:(?:index[:/])?(\w+)$/.exec(typeof type === "string" ? type : "") ?? [];
    if (name === undefined || external === true) return [];
    return [{ type: snakeCase(name), id, values: isValues(outputs) ? outputs : {} }];
  });
}

function objectsOf({ type, id, values }: StateResource): StateObject[] {
  const identity = values["backend_identity"] ?? values["backendIdentity"];
  const known = typeof identity === "string" && identity !== "" ? identity : null;
  // What is not one object itself may hold several: the snapshots of a group.
  const isObject = type === "volume" || type === "snapshot" || type === "attachment";
  const ids = isObject ? [id] : [id, ...held(values)];
  const found = new Map<string, StateObject>();
  for (const text of ids) {
    const object = typeof text === "string" ? tryParseObjectId(text) : undefined;
    // A volume that was moved keeps the id that it got on its first backend.
    const backend = type === "volume" ? backendIn(values) : undefined;
    if (object !== undefined) {
      found.set(object.uuid, {
        type,
        uuid: object.uuid,
        backend: backend ?? object.backend,
        identity: known,
      });
    }
  }
  return [...found.values()];
}

/** `fast` of `backend = "fast#pool"`. */
function backendIn({ backend }: Values): string | undefined {
  return typeof backend === "string" && backend !== "" ? backend.replace(/#.*$/, "") : undefined;
}

/** Attributes that name volumes, which are held by resources of their own. */
const references: ReadonlySet<string> = new Set(["volume_id", "volumeId", "volume_ids", "volumeIds"]);

/** All texts in a resource's attributes, but for references to volumes. The keys of maps are users' words, and tell nothing. */
function held(values: Values): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => (references.has(name) ? [] : strings(value)));
}

function strings(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(strings);
  return isValues(value) ? Object.values(value).flatMap(strings) : [];
}

function list(value: unknown): readonly Values[] {
  return Array.isArray(value) ? value.filter(isValues) : [];
}

function isValues(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function snakeCase(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").toLowerCase();
}
