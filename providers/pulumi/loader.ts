/**
 * What the classes in a program need of the code behind them. It is a bundle of its own, loaded when first used: a program
 * that only declares resources never loads it.
 */
export interface LoadedRuntime {
  hooks(resource: string): Hooks;
  configure(configuration: object, stack: string): void;
  readDataSource(name: string, args: object, configuration: object, stack: string): Promise<object>;
}

export interface Hooks {
  check(
    olds: object,
    news: object,
  ): Promise<{ inputs: object; failures: { property: string; reason: string }[] }>;
  diff(id: string, olds: object, news: object): Promise<{ changes: boolean }>;
  create(inputs: object): Promise<{ id: string; outs: object }>;
  read(id: string, props: object): Promise<{ id: string }>;
  update(id: string, olds: object, news: object): Promise<{ outs: object }>;
  delete(id: string, props: object): Promise<void>;
}

export async function loadRuntime(): Promise<LoadedRuntime> {
  const { runtime } = await import("./serve.ts");
  return runtime;
}
