import { X509Certificate } from "node:crypto";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Whether Go, and so kubectl, would decode it: the standard alphabet with its padding, on any number of lines. */
export function isBase64(text: string): boolean {
  const joined = text.replaceAll(/[\r\n]/g, "");
  return joined.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(joined);
}

/** Whether a PEM file has a certificate. Others in it that cannot be read do not matter, as in Go. */
export const hasCertificate = (pem: Buffer): boolean =>
  (pem.toString("latin1").match(CERTIFICATE) ?? []).some(isCertificate);

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
