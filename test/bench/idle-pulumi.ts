import type { LoadedRuntime } from "../../providers/pulumi/loader.ts";

/**
 * The floor for Pulumi: the same classes and the same state, with hooks that do nothing. What the engine takes with them is
 * the price of engine and launcher.
 */
export const runtime: LoadedRuntime = {
  configure: () => undefined,
  readDataSource: async () => ({}),
  hooks: () => ({
    check: async (_olds, news) => ({ inputs: news, failures: [] }),
    diff: async () => ({ changes: false }),
    create: async (inputs) => ({ id: "idle", outs: inputs }),
    read: async (id, props) => ({ id, props }),
    update: async (_id, _olds, news) => ({ outs: news }),
    delete: async () => undefined,
  }),
};
