import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * The certificates of a file in PEM; null without one. Rejects when it cannot be read, has none, or has one that is
 * broken, which TLS would silently do without.
 */
export async function readAuthorities(file: string | undefined): Promise<string | null> {
  if (file === undefined) return null;
  const fail = (fault: string): never => {
    throw new Error(`tlsClientCa must be a file with certificates in PEM: ${file} ${fault}`);
  };
  const text = await readFile(file, 'utf8').catch((error: Error) => fail(`cannot be read: ${error.message}`));
  const certificates = text.match(CERTIFICATE) ?? fail('has none');
  for (const [index, certificate] of certificates.entries()) {
    try {
      new X509Certificate(certificate);
    } catch (error) {
      fail(`has one that cannot be used, number ${index + 1}: ${(error as Error).message}`);
    }
  }
  return certificates.join('\n');
}
