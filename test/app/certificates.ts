import { generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";

/** A certificate and its key, as PEM. */
export interface Certificate {
  /** It first, then those that vouch for it, without the root: what a server shows. */
  readonly chain: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** DNS names that it is good for. */
  readonly names: readonly string[];
  /** @default - from an hour ago for a day */
  readonly validFrom?: Date;
  readonly validTo?: Date;
}

export interface Authority {
  /** Its own certificate, for whoever is to trust it. */
  readonly pem: string;
  issue(options: CertificateOptions): Certificate;
  /** Another authority, which this one vouches for. */
  intermediate(name: string): Authority;
}

const HOUR = 3_600_000;

/** A certificate authority that signs itself. Made here, since a machine that runs the tests need not have OpenSSL's command. */
export function newAuthority(name: string): Authority {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const own = certificate({
    subject: name,
    issuer: name,
    key: keys.publicKey,
    signer: keys.privateKey,
    isAuthority: true,
  });
  return authority(name, own, keys.privateKey, "");
}

/** @param above - certificates of those that vouch for it, without the root's */
function authority(name: string, pem: string, signer: KeyObject, above: string): Authority {
  return {
    pem,
    issue({ names, validFrom, validTo }) {
      const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const subject = names[0] ?? "nobody";
      const own = certificate({ subject, issuer: name, key: keys.publicKey, signer, names, validFrom, validTo });
      return { chain: own + above, key: keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
    },
    intermediate(subject) {
      const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const own = certificate({ subject, issuer: name, key: keys.publicKey, signer, isAuthority: true });
      return authority(subject, own, keys.privateKey, own + above);
    },
  };
}

interface Contents {
  readonly subject: string;
  readonly issuer: string;
  readonly key: KeyObject;
  readonly signer: KeyObject;
  readonly isAuthority?: boolean;
  readonly names?: readonly string[];
  readonly validFrom?: Date | undefined;
  readonly validTo?: Date | undefined;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const OCTETS = 0x04;
const BITS = 0x03;
const UTF8 = 0x0c;
const UTC_TIME = 0x17;
const TRUE = Buffer.of(0x01, 0x01, 0xff);
const COMMON_NAME = Buffer.from("0603550403", "hex");
const ECDSA_WITH_SHA256 = der(SEQUENCE, Buffer.from("06082a8648ce3d040302", "hex"));
const BASIC_CONSTRAINTS = Buffer.from("0603551d13", "hex");
const ALTERNATIVE_NAMES = Buffer.from("0603551d11", "hex");

/** @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1 */
function certificate(contents: Contents): string {
  const { subject, issuer, key, signer, isAuthority = false, names = [] } = contents;
  const { validFrom = new Date(Date.now() - HOUR), validTo = new Date(Date.now() + 24 * HOUR) } = contents;
  const extension = isAuthority
    ? der(SEQUENCE, BASIC_CONSTRAINTS, TRUE, der(OCTETS, der(SEQUENCE, TRUE)))
    : der(
        SEQUENCE,
        ALTERNATIVE_NAMES,
        der(OCTETS, der(SEQUENCE, ...names.map((name) => der(0x82, Buffer.from(name))))),
      );
  const signed = der(
    SEQUENCE,
    Buffer.from("a003020102", "hex"), // version 3
    der(0x02, Buffer.of(0x01), randomBytes(8)), // serial number
    ECDSA_WITH_SHA256,
    nameOf(issuer),
    der(SEQUENCE, time(validFrom), time(validTo)),
    nameOf(subject),
    key.export({ type: "spki", format: "der" }),
    der(0xa3, der(SEQUENCE, extension)),
  );
  const signature = der(BITS, Buffer.of(0), sign("sha256", signed, signer));
  const base64 = der(SEQUENCE, signed, ECDSA_WITH_SHA256, signature).toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}(?=.)/g, "$&\n")}\n-----END CERTIFICATE-----\n`;
}

const nameOf = (name: string) => der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8, Buffer.from(name)))));

const time = (at: Date) => der(UTC_TIME, Buffer.from(`${at.toISOString().slice(2, 19).replace(/[-:T]/g, "")}Z`));

/** A value of ASN.1: what it is, how long, and what is in it. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}
