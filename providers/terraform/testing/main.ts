/** The toy as a program, for tests of what engines do with a process. */
import { main } from "../index.ts";

main(async () => (await import("./toy-provider.ts")).toyProvider());
