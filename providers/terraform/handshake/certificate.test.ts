import { createPrivateKey, X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createCertificate } from "./certificate.ts";
import { objectIdentifier, time, unsignedInteger } from "./der.ts";

describe("the certificate", () => {
  const made = createCertificate(new Date("2030-01-02T03:04:05Z"));
  const certificate = new X509Certificate(made.der);

  test("is what AutoMTLS asks for", () => {
    expect(certificate.ca).toBe(true);
    expect(certificate.subjectAltName).toBe("DNS:localhost");
    expect(certificate.checkHost("localhost")).toBe("localhost");
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"]);
  });

  test("is signed by its own key", () => {
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(made.key))).toBe(true);
    expect(new X509Certificate(made.pem).raw).toEqual(made.der);
  });

  test("is valid from now on", () => {
    expect(new Date(certificate.validFrom).toISOString()).toBe("2030-01-02T03:03:05.000Z");
    expect(new Date(certificate.validTo).getUTCFullYear()).toBe(2059);
  });

  test("is another one each time", () => {
    const other = new X509Certificate(createCertificate().der);
    expect(other.serialNumber).not.toBe(certificate.serialNumber);
    expect(other.fingerprint256).not.toBe(certificate.fingerprint256);
  });
});

describe("DER", () => {
  test("writes integers without a sign", () => {
    expect(unsignedInteger(Buffer.from([0, 0, 0x7f])).toString("hex")).toBe("02017f");
    expect(unsignedInteger(Buffer.from([0x80])).toString("hex")).toBe("02020080");
    expect(unsignedInteger(Buffer.from([0])).toString("hex")).toBe("020100");
  });

  test("writes object identifiers", () => {
    expect(objectIdentifier("1.2.840.10045.4.3.2").toString("hex")).toBe("06082a8648ce3d040302");
  });

  test("writes years from 2050 on in full", () => {
    expect(time(new Date("2049-12-31T23:59:59Z")).subarray(2).toString()).toBe("491231235959Z");
    expect(time(new Date("2050-01-01T00:00:00Z")).subarray(2).toString()).toBe("20500101000000Z");
  });
});
