import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { fingerprint, hostKeyVerifier } from "./host-keys.ts";
import { parseKnownHosts } from "./known-hosts.ts";
import type { HostKeyPolicy } from "./settings.ts";

const directory = mkdtempSync(join(tmpdir(), "breezeblock-host-keys-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;

/** A public key in the wire format; its content only has to differ. */
function makeKey(type: string, content: string): { line: string; blob: Buffer } {
  const field = (text: string) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(text));
    return Buffer.concat([length, Buffer.from(text)]);
  };
  const blob = Buffer.concat([field(type), field(content.padEnd(32, "."))]);
  return { line: `${type} ${blob.toString("base64")}`, blob };
}

const ed25519 = makeKey("ssh-ed25519", "one");
const otherEd25519 = makeKey("ssh-ed25519", "two");
const rsa = makeKey("ssh-rsa", "three");

function verifier(hostKeys: HostKeyPolicy, port = 22, address = "nas.example") {
  return hostKeyVerifier({ name: "nas", address, port, user: "u", auth: {}, hostKeys });
}

function withKnownHosts(lines: readonly string[], port?: number, address?: string) {
  const knownHostsFile = join(directory, `known_hosts-${++files}`);
  writeFileSync(knownHostsFile, `${lines.join("\n")}\n`);
  return { ...verifier({ knownHostsFile }, port, address), knownHostsFile };
}

describe("known_hosts", () => {
  it("accepts a key that is listed, whatever way the host is written", () => {
    for (const names of ["nas.example", "other,nas.example", "*.example", "nas.exampl?", "NAS.example"]) {
      expect(withKnownHosts([`${names} ${ed25519.line} comment`]).verify(ed25519.blob)).toBeUndefined();
    }
    expect(withKnownHosts([`[nas.example]:2222 ${ed25519.line}`], 2222).verify(ed25519.blob)).toBeUndefined();
    expect(withKnownHosts([`nas.example ${ed25519.line}`], 2222).verify(ed25519.blob)).toBeUndefined();
    expect(
      withKnownHosts([`nas.example ${ed25519.line}`], 22, "NAS.Example").verify(ed25519.blob),
    ).toBeUndefined();
  });

  it("heeds negation", () => {
    const known = withKnownHosts([`*.example,!nas.example ${ed25519.line}`]);
    expect(known.verify(ed25519.blob)).toMatchObject({ kind: "HostKeyMismatch" });
  });

  it("reads the hashes that ssh-keygen -H makes", () => {
    const known = withKnownHosts([`nas.example ${ed25519.line}`, `[nas.example]:2222 ${rsa.line}`]);
    // ssh-keygen refuses keys that are none, so that these hashes were made with real ones.
    const hashed = [
      `|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= ${ed25519.line}`,
      `|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAAAAAAAAAAAAAAAAAAAAAAAAA= ${rsa.line}`,
    ];
    expect(known.verify(ed25519.blob)).toBeUndefined();
    expect(withKnownHosts(hashed, 22, "192.168.1.61").verify(ed25519.blob)).toBeUndefined();
    expect(withKnownHosts(hashed, 22, "192.168.1.62").verify(ed25519.blob)).toMatchObject({
      kind: "HostKeyMismatch",
    });
  });

  it("refuses a changed key with both fingerprints, the place and the fix", () => {
    const known = withKnownHosts(["# comment", "", `nas.example ${ed25519.line}`], 22);
    const error = known.verify(otherEd25519.blob);
    expect(error?.kind).toBe("HostKeyMismatch");
    expect(error?.message).toContain(fingerprint(ed25519.blob));
    expect(error?.message).toContain(fingerprint(otherEd25519.blob));
    expect(error?.message).toContain(`${known.knownHostsFile}:3`);
    expect(error?.message).toContain(`ssh-keygen -f '${known.knownHostsFile}' -R 'nas.example'`);
  });

  it("shows an unknown host's fingerprint and what to write", () => {
    const error = withKnownHosts([`elsewhere ${ed25519.line}`], 2222).verify(ed25519.blob);
    expect(error?.kind).toBe("HostKeyMismatch");
    expect(error?.message).toContain(fingerprint(ed25519.blob));
    expect(error?.message).toContain(`host_key = "${ed25519.line}"`);
    expect(error?.message).toContain("[nas.example]:2222");
  });

  it("refuses a revoked key even where it is also listed", () => {
    const known = withKnownHosts([`nas.example ${ed25519.line}`, `@revoked * ${ed25519.line}`]);
    expect(known.verify(ed25519.blob)?.message).toMatch(/:2 says is revoked/);
  });

  it("does not take a certificate authority for a host", () => {
    const error = withKnownHosts([`@cert-authority *.example ${ed25519.line}`]).verify(ed25519.blob);
    expect(error?.kind).toBe("HostKeyMismatch");
    expect(error?.message).toContain("@cert-authority");
  });

  it("asks first for the kinds of key that it knows", () => {
    expect(withKnownHosts([`nas.example ${rsa.line}`]).offers[0]?.slice(0, 3)).toEqual([
      "rsa-sha2-512",
      "rsa-sha2-256",
      "ssh-ed25519",
    ]);
  });

  it("leaves out what is no line of it", () => {
    const text = [
      "nas",
      "nas ssh-rsa",
      `nas ssh-rsa ${ed25519.line.split(" ")[1]}`,
      `@unknown nas ${rsa.line}`,
    ];
    expect(parseKnownHosts(text.join("\n"))).toEqual([]);
  });

  it("names a file that is not there", () => {
    expect(() => verifier({ knownHostsFile: "/nonexistent/known_hosts" })).toThrow(
      expect.objectContaining({
        kind: "InvalidConfiguration",
        message: expect.stringContaining("/nonexistent/known_hosts"),
      }),
    );
  });
});

describe("pins", () => {
  it("accept the key itself or its fingerprint", () => {
    expect(verifier({ pinned: [`${ed25519.line} root@nas`] }).verify(ed25519.blob)).toBeUndefined();
    expect(verifier({ pinned: [fingerprint(ed25519.blob)] }).verify(ed25519.blob)).toBeUndefined();
    expect(verifier({ pinned: [rsa.line, ed25519.line] }).verify(ed25519.blob)).toBeUndefined();
  });

  it("refuse any other key with both fingerprints", () => {
    const message = verifier({ pinned: [ed25519.line] }).verify(otherEd25519.blob)?.message;
    expect(message).toContain(fingerprint(ed25519.blob));
    expect(message).toContain(fingerprint(otherEd25519.blob));
  });

  it("must be keys", () => {
    for (const pin of [
      "",
      "nonsense",
      "SHA256:short",
      "ssh-ed25519",
      `ssh-rsa ${ed25519.line.split(" ")[1]}`,
    ]) {
      expect(() => verifier({ pinned: [pin] })).toThrow(
        expect.objectContaining({ kind: "InvalidConfiguration" }),
      );
    }
    expect(() => verifier({ pinned: [] })).toThrow(expect.objectContaining({ kind: "InvalidConfiguration" }));
  });

  it("let a fingerprint find its key among several kinds", () => {
    const offers = verifier({ pinned: [fingerprint(rsa.blob)] }).offers;
    expect(offers).toContainEqual(["rsa-sha2-512", "rsa-sha2-256"]);
  });
});

describe("fingerprint", () => {
  it("is what ssh-keygen prints", () => {
    const file = join(directory, "key");
    const made = spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
    if (made.error !== undefined) return console.warn("left out: there is no ssh-keygen");
    const printed = spawnSync("ssh-keygen", ["-l", "-f", file], { encoding: "utf8" }).stdout;
    const [, encoded = ""] = readFileSync(`${file}.pub`, "utf8").split(" ");
    expect(printed).toContain(fingerprint(Buffer.from(encoded, "base64")));
  });
});
