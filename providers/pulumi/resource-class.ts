import * as pulumi from "@pulumi/pulumi";
import { loadRuntime } from "./loader.ts";

/** What the generated classes know of the resource that they stand for. */
export interface ResourceDefinition {
  /** As declared: `volume`. */
  readonly resource: string;
  /** The class: `Volume`. */
  readonly type: string;
  /** Every property that the resource has. */
  readonly properties: readonly string[];
  /** The properties to encrypt in state. */
  readonly secrets: readonly string[];
}

/** The type token of a class; the module `pulumi-nodejs:dynamic` is served by Pulumi's dynamic provider launcher. */
export function typeToken(type: string): string {
  return `pulumi-nodejs:dynamic/breezeblock:${type}`;
}

/** A resource served by Pulumi's dynamic provider launcher. */
export abstract class DynamicResource extends pulumi.CustomResource {
  constructor(
    definition: ResourceDefinition,
    name: string,
    args: object,
    options: pulumi.CustomResourceOptions | undefined,
  ) {
    const properties: pulumi.Inputs = {};
    for (const property of definition.properties) properties[property] = undefined;
    Object.assign(properties, args, { __provider: providerText(definition.resource) });
    super(
      typeToken(definition.type),
      name,
      properties,
      pulumi.mergeOptions(
        {
          // Names are unique: the old object makes room for the new one, also where `--replace` leaves `diff` out.
          deleteBeforeReplace: true,
          ...(definition.secrets.length > 0 && { additionalSecretOutputs: [...definition.secrets] }),
        },
        options,
      ),
    );
  }
}

/**
 * The code that the launcher runs for a resource; state keeps it twice for each. It is what `pulumi.dynamic.Resource` would
 * make of a closure, written by hand: that takes no TypeScript compiler at run time, and comes out the same everywhere.
 * All else is looked up in the package installed, so that an upgrade takes effect for resources in state too.
 */
function providerText(resource: string): string {
  const args = `${JSON.stringify(resource)},${JSON.stringify(stackName())}`;
  return `exports.handler=()=>require("breezeblock/pulumi").dynamicProvider(${args})`;
}

/** `<organization>/<project>/<stack>`. */
function stackName(): string {
  return [orEmpty(pulumi.getOrganization), orEmpty(pulumi.getProject), orEmpty(pulumi.getStack)].join("/");
}

/** Pulumi throws where a program runs under its mocks. */
function orEmpty(name: () => string): string {
  try {
    return name();
  } catch {
    return "";
  }
}

/**
 * For Pulumi's launcher, which finds the call in the state of every resource: the hooks of `resource`.
 *
 * @param stack `<organization>/<project>/<stack>`; the owner of what is made, where the configuration names none
 */
export function dynamicProvider(resource: string, stack = ""): pulumi.dynamic.ResourceProvider {
  const hooks = async () => (await loadRuntime()).hooks(resource);
  return {
    configure: async ({ config }) => (await loadRuntime()).configure(config, stack),
    check: async (olds, news) => (await hooks()).check(olds, news),
    diff: async (id, olds, news) => (await hooks()).diff(id, olds, news),
    create: async (inputs) => (await hooks()).create(inputs),
    read: async (id, props) => (await hooks()).read(id, props ?? {}),
    update: async (id, olds, news) => (await hooks()).update(id, olds, news),
    delete: async (id, props) => (await hooks()).delete(id, props),
  };
}

/** The same for what holds secrets: all of it is secret to the engine, which encrypts what is kept of it. */
export function readSecrets<T>(name: string, args: object): pulumi.Output<T> {
  return pulumi.secret(
    pulumi.output(args).apply((known) => readDataSource<T>(name, known)),
  ) as unknown as pulumi.Output<T>;
}

/** Reads a data source, in the program's own process. */
export async function readDataSource<T>(name: string, args: object): Promise<T> {
  const runtime = await loadRuntime();
  return (await runtime.readDataSource(
    name,
    args,
    { rawConfig: pulumi.runtime.allConfig() },
    stackName(),
  )) as T;
}
