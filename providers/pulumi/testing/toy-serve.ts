import { createRuntime, type Runtime } from "../runtime.ts";
import { ToyShelf, toyProvider } from "./toy-provider.ts";

const shelf = new ToyShelf();
// For tests that run this in a process of its own.
shelf.failsHalfway = process.env["TOY_FAILS_HALFWAY"] === "1";

export const runtime: Runtime = createRuntime(toyProvider(shelf));
