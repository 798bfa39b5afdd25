const cookieName = "TF_PLUGIN_MAGIC_COOKIE";
const cookieValue = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

/** The version of the plugin protocol that this provider speaks. */
export const protocolVersion = 6;

/** What to tell a person who started the provider by hand; undefined when an engine did that can use it. */
export function refusal(environment: NodeJS.ProcessEnv): string | undefined {
  if (environment[cookieName] !== cookieValue) {
    return (
      "This is breezeblock's provider for Terraform and OpenTofu. It is not run by hand: they start it themselves when\n" +
      'a configuration asks for the source "breezeblock/breezeblock". To try a build of your own, name its directory\n' +
      "under dev_overrides in the engine's CLI configuration; to debug it, start it with --debug.\n"
    );
  }
  const offered = environment["PLUGIN_PROTOCOL_VERSIONS"]?.split(",").map(Number);
  return offered === undefined || offered.includes(protocolVersion)
    ? undefined
    : `breezeblock speaks version ${protocolVersion} of the plugin protocol; this engine speaks ${offered.join(", ")}. ` +
        "Terraform 1.0 or OpenTofu is needed, or later.\n";
}
