import { describe, expect, test } from "vitest";
import type { EmbeddedHost } from "../../embedded-host/index.ts";
import { describeAsJson, providerBlock } from "./host.ts";

const host: EmbeddedHost = {
  address: "127.0.0.1",
  port: 2222,
  user: "me",
  directory: `/srv/a "b" ${"$"}{c}`,
  privateKeyFile: "/srv/key",
  hostKey: "ssh-ed25519 AAAA",
  stop: async () => {},
};

describe("breezeblock host", () => {
  test("says as JSON what programs need, in one line", () => {
    expect(describeAsJson(host)).toBe(
      '{"address":"127.0.0.1","port":2222,"user":"me","private_key_file":"/srv/key","host_key":"ssh-ed25519 AAAA"}\n',
    );
  });

  test("quotes for HCL, so that nothing in a path is taken for a template", () => {
    expect(providerBlock(host)).toContain(`directory = "/srv/a \\"b\\" ${"$$"}{c}/volumes"`);
  });
});
