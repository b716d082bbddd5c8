// SPDX-License-Identifier: Apache-2.0
import { KubernetesFault, quote } from './fault.ts';

/** Node's and OpenSSL's codes for a certificate that was not accepted. */
const TLS_CODES: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

const TIMEOUT_TEXT = /timed? ?out|timeout/i;

/** Says in our words why a connection to the API server did not come about or broke. */
export function networkFault(error: unknown, server: string): KubernetesFault {
  if (error instanceof KubernetesFault) return error;
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  if (TLS_CODES.has(code)) {
    return new KubernetesFault(
      'tls-untrusted',
      `the certificate of ${server} is not trusted (${code}); ` +
        "give the cluster's own CA, or tls-server-name if the name differs",
      { cause: error },
    );
  }
  if (code === 'ETIMEDOUT' || TIMEOUT_TEXT.test(text)) {
    return new KubernetesFault('timeout', `${server} did not answer in time; try again later`, {
      cause: error,
    });
  }
  return new KubernetesFault(
    'unreachable',
    `no connection to ${server}: ${quote(text)}; check address, proxy, firewall and TLS`,
    { cause: error },
  );
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}
