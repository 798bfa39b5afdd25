import { main } from "./index.ts";

main(async () => (await import("../../resources/index.ts")).provider);
