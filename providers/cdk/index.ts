export { type ConstructLibrary, constructLibraries, generateConstructs } from "./generate.ts";
