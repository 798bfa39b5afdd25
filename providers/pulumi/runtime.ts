import {
  checkConfig,
  type DataSource,
  type Diagnostic,
  DiagnosticsError,
  type Provider,
} from "../../resources/schema/index.ts";
import type { StackConfiguration } from "./configuration.ts";
import { defaultOwner } from "./default-owner.ts";
import { type DynamicHooks, serveResource } from "./dynamic-provider.ts";
import { stderrLogger } from "./log.ts";
import { describe, errorsAmong, hookError } from "./messages.ts";
import { renamedNames } from "./names.ts";
import { Session } from "./session.ts";
import { type Properties, parseProperties, toProperties, withDefaults } from "./values.ts";

/** How long the engine waits for a provider that it has asked to end, less some margin. Milliseconds. */
const shutdownLimitMs = 4_000;

/** Everything that runs behind the package's Pulumi classes: loaded in the provider's process, or for a data source. */
export interface Runtime {
  /** @throws Error when the installed version has no such resource */
  hooks(resource: string): DynamicHooks;
  /** Configures the provider process. @param stack `<organization>/<project>/<stack>` */
  configure(configuration: StackConfiguration, stack: string): void;
  /** Reads a data source in the program's own process; connections last as long as reads go on. */
  readDataSource(
    name: string,
    args: Properties,
    configuration: StackConfiguration,
    stack: string,
  ): Promise<Properties>;
}

export function createRuntime(provider: Provider): Runtime {
  const names = renamedNames(provider);
  const session = new Session(provider, sessionOptions(names));
  const served = new Map<string, DynamicHooks>();
  let endsOnSignal = false;
  let reading: { readonly session: Session; count: number } | undefined;

  return {
    hooks(name) {
      const resource = provider.resources.find((candidate) => candidate.name === name);
      if (resource === undefined) {
        throw new Error(
          `The installed version of breezeblock has no resource "${name}"; install the one that made it.`,
        );
      }
      const hooks = served.get(name) ?? serveResource(resource, session, names);
      served.set(name, hooks);
      return hooks;
    },

    configure(configuration, stack) {
      session.configure(configuration, ownerOf(stack));
      if (endsOnSignal) return;
      endsOnSignal = true;
      closeOnSignal(session);
    },

    async readDataSource(name, args, configuration, stack) {
      const source = findSource(provider, name);
      if (source === undefined) throw new Error(`breezeblock has no data source "${name}".`);
      const current = reading ?? { session: new Session(provider, sessionOptions(names)), count: 0 };
      reading = current;
      current.count += 1;
      try {
        current.session.configure(configuration, ownerOf(stack));
        const context = await current.session.context();
        const { values, diagnostics } = parseProperties(source.attributes, args);
        const config = withDefaults(source.attributes, values);
        const found: Diagnostic[] = [...diagnostics];
        if (errorsAmong(found).length === 0) found.push(...checkConfig(source.attributes, values));
        if (errorsAmong(found).length === 0) found.push(...source.validate(values));
        if (errorsAmong(found).length > 0) throw new DiagnosticsError(found);
        return toProperties(source.attributes, await source.read(context, config));
      } catch (error) {
        throw hookError({ attributes: source.attributes, names }, error);
      } finally {
        current.count -= 1;
        if (current.count === 0) {
          // An open connection would keep the program from ending.
          reading = undefined;
          await current.session.close();
        }
      }
    },
  };
}

/** What is kept nowhere is read as data sources are; that its values stay secret is up to the caller. */
function findSource(provider: Provider, name: string): DataSource | undefined {
  const source = provider.dataSources.find((candidate) => candidate.name === name);
  if (source !== undefined) return source;
  const ephemeral = provider.ephemerals.find((candidate) => candidate.name === name);
  if (ephemeral === undefined) return undefined;
  return { ...ephemeral, read: (context, config) => ephemeral.open(context, config) };
}

function ownerOf(stack: string): string {
  return defaultOwner(stack, { environment: process.env, directory: process.cwd() });
}

function sessionOptions(names: ReadonlySet<string>) {
  return {
    logger: stderrLogger(),
    warn: (diagnostic: Omit<Diagnostic, "severity">) => {
      process.stderr.write(`warning: ${describe(names, diagnostic)}\n`);
    },
  };
}

/** The engine ends its providers by SIGINT, and by SIGKILL five seconds later. */
function closeOnSignal(session: Session): void {
  const end = () => {
    const limit = setTimeout(() => process.exit(0), shutdownLimitMs);
    void session.close().finally(() => {
      clearTimeout(limit);
      process.exit(0);
    });
  };
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
}
