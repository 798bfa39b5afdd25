export { type EmbeddedHost, type EmbeddedHostOptions, startEmbeddedHost } from "./embedded-host.ts";
