import { main } from "../../providers/terraform/index.ts";

main(async () => (await import("./idle-provider.ts")).idleProvider);
