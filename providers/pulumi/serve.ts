import { provider } from "../../resources/index.ts";
import { createRuntime, type Runtime } from "./runtime.ts";

/** The runtime over breezeblock's own provider: one for each process. */
export const runtime: Runtime = createRuntime(provider);
