export type { Fleet } from "./fleet.ts";
