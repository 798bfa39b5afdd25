import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import * as der from "./der.ts";

export interface Certificate {
  /** What the handshake line carries. */
  readonly der: Buffer;
  readonly pem: string;
  /** Its private key, as PKCS #8; it never leaves this process. */
  readonly key: string;
}

const ecdsaWithSha256 = der.sequence(der.objectIdentifier("1.2.840.10045.4.3.2"));
const commonName = "2.5.4.3";
const keyUsage = "2.5.29.15";
const subjectAltName = "2.5.29.17";
const basicConstraints = "2.5.29.19";
const extendedKeyUsage = "2.5.29.37";
const serverAuth = "1.3.6.1.5.5.7.3.1";
const clientAuth = "1.3.6.1.5.5.7.3.2";

const dayMs = 24 * 60 * 60 * 1000;

/**
 * A key pair and certificate for the life of this process, which the client pins: go-plugin's AutoMTLS takes it from the
 * handshake line as the only root and asks for the name `localhost`. Layout: RFC 5280, section 4.1.
 */
export function createCertificate(now = new Date()): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const name = der.sequence(
    der.set(der.sequence(der.objectIdentifier(commonName), der.utf8String("localhost"))),
  );
  const body = der.sequence(
    der.explicit(0, der.unsignedInteger(Buffer.from([2]))),
    der.unsignedInteger(randomBytes(16)),
    ecdsaWithSha256,
    name,
    der.sequence(
      // The other side's clock is this machine's; a minute is for clocks being set.
      der.time(new Date(now.getTime() - 60_000)),
      der.time(new Date(now.getTime() + 30 * 365 * dayMs)),
    ),
    name,
    publicKey,
    der.explicit(3, der.sequence(...extensions())),
  );
  const certificate = der.sequence(body, ecdsaWithSha256, der.bitString(sign("sha256", body, privateKey)));
  return { der: certificate, pem: toPem(certificate), key: privateKey };
}

function extensions(): Buffer[] {
  const extension = (oid: string, critical: boolean, value: Buffer) =>
    der.sequence(der.objectIdentifier(oid), ...(critical ? [der.boolean(true)] : []), der.octetString(value));
  return [
    // digitalSignature, keyEncipherment, keyAgreement, keyCertSign: bits 0, 2, 4 and 5.
    extension(keyUsage, true, der.bitString(Buffer.from([0b1010_1100]), 2)),
    extension(
      extendedKeyUsage,
      false,
      der.sequence(der.objectIdentifier(clientAuth), der.objectIdentifier(serverAuth)),
    ),
    extension(basicConstraints, true, der.sequence(der.boolean(true))),
    extension(subjectAltName, false, der.sequence(der.implicit(2, Buffer.from("localhost")))),
  ];
}

function toPem(bytes: Buffer): string {
  const lines = bytes.toString("base64").replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
