// SPDX-License-Identifier: Apache-2.0
import { createHash, X509Certificate } from 'node:crypto';
import { messageOf, Never } from '@impound/runtime/fault.ts';
import { type Constructed, OctetString, Sequence } from 'asn1js';
import { Certificate, PKIStatus, SignedData, TimeStampResp, TSTInfo } from 'pkijs';

/** No authority answers with more: a token with its chain has 3 to 8 KiB. */
export const TOKEN_BYTES_MAX = 65_536;

const OID = {
  signedData: '1.2.840.113549.1.7.2',
  tstInfo: '1.2.840.113549.1.9.16.1.4',
  sha256: '2.16.840.1.101.3.4.2.1',
  contentType: '1.2.840.113549.1.9.3',
  signingCertificate: '1.2.840.113549.1.9.16.2.12',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  extendedKeyUsage: '2.5.29.37',
  timeStamping: '1.3.6.1.5.5.7.3.8',
} as const;

/** What a token is held against. */
export interface Expected {
  /** The bytes that were stamped. */
  readonly data: Uint8Array;
  /** Certificates that the authority's must lead to, in PEM. */
  readonly trusted: readonly string[];
  /** What the request carried; left out where a stored token is looked at again. */
  readonly nonce?: Uint8Array | undefined;
}

/** What a token says that was found good. */
export interface Stamped {
  /** When the authority says to have seen the bytes. */
  readonly at: Date;
  /** The subject of the authority's certificate. */
  readonly authority: string;
  /** SHA-256 of that certificate, lower-case hex. */
  readonly certificate: string;
  /** The token's serial number, lower-case hex. */
  readonly serial: string;
  /** The policy under which the authority stamps, an OID. */
  readonly policy: string;
}

/**
 * Reads an authority's answer and holds it against what was asked: the imprint, the nonce, the
 * signature, the certificate, its way to a trusted one at the time of the stamp, and that it is for
 * stamping time and nothing else. Throws Never (timestamp-…) that says what is wrong.
 */
export async function checkToken(answer: Uint8Array, expected: Expected): Promise<Stamped> {
  if (answer.length > TOKEN_BYTES_MAX)
    throw refused('timestamp-malformed', 'the answer is too long');
  const { signed, info } = read(answer);
  checkAsked(info, expected);
  const certificate = await checkSignature(signed, expected);
  checkPurpose(certificate);
  checkNamed(signed, certificate);
  const known = new X509Certificate(Buffer.from(certificate.toSchema().toBER()));
  return {
    at: info.genTime,
    authority: known.subject.replaceAll('\n', ', '),
    certificate: known.fingerprint256.replaceAll(':', '').toLowerCase(),
    serial: Buffer.from(info.serialNumber.valueBlock.valueHexView).toString('hex'),
    policy: info.policy,
  };
}

function refused(code: string, because: string, cause?: unknown): Never {
  return new Never(code, `the time stamp is refused: ${because}`, { cause });
}

function read(answer: Uint8Array): { signed: SignedData; info: TSTInfo } {
  const parsed = parse('it is no RFC 3161 answer', () => TimeStampResp.fromBER(answer));
  const { status, statusStrings = [] } = parsed.status;
  if (status !== PKIStatus.granted && status !== PKIStatus.grantedWithMods) {
    const said = statusStrings.map(({ valueBlock }) => valueBlock.value).join(' ');
    const clean = said.slice(0, 200).replaceAll(/[^\x20-\x7e]/g, '?');
    throw refused('timestamp-declined', `the authority declined, status ${status} ${clean}`.trim());
  }
  const token = parsed.timeStampToken;
  if (token?.contentType !== OID.signedData) {
    throw refused('timestamp-malformed', 'the answer holds no token');
  }
  return parse('its token is malformed', () => {
    const signed = new SignedData({ schema: token.content });
    const content = signed.encapContentInfo.eContent;
    if (signed.encapContentInfo.eContentType !== OID.tstInfo || content === undefined) {
      throw new Error('it signs something else than a time');
    }
    if (signed.signerInfos.length !== 1) throw new Error('it has not exactly one signature');
    return { signed, info: TSTInfo.fromBER(content.getValue()) };
  });
}

/** Whatever a hostile answer makes of the parser, it becomes one kind of refusal. */
function parse<T>(what: string, parser: () => T): T {
  try {
    return parser();
  } catch (cause) {
    throw refused('timestamp-malformed', `${what}: ${messageOf(cause)}`, cause);
  }
}

function checkAsked(info: TSTInfo, { data, nonce }: Expected): void {
  const { hashAlgorithm, hashedMessage } = info.messageImprint;
  const digest = createHash('sha256').update(data).digest();
  const stamped = Buffer.from(hashedMessage.valueBlock.valueHexView);
  if (hashAlgorithm.algorithmId !== OID.sha256 || !digest.equals(stamped)) {
    throw refused('timestamp-of-other-data', 'it was made for other bytes than these');
  }
  if (nonce === undefined) return;
  const answered = Buffer.from(info.nonce?.valueBlock.valueHexView ?? []).toString('hex');
  const bare = (hex: string) => hex.replace(/^0+/, '');
  if (bare(answered) !== bare(Buffer.from(nonce).toString('hex'))) {
    throw refused('timestamp-replayed', 'it answers another request than this one');
  }
}

async function checkSignature(signed: SignedData, expected: Expected): Promise<Certificate> {
  const trustedCerts = expected.trusted.map((pem) =>
    parse('a trusted certificate cannot be read', () =>
      Certificate.fromBER(new X509Certificate(pem).raw),
    ),
  );
  try {
    // pkijs takes the time of the stamp as the time at which the certificates must be valid.
    const found = await signed.verify({
      signer: 0,
      data: Uint8Array.from(expected.data).buffer,
      trustedCerts,
      checkChain: true,
      extendedMode: true,
    });
    if (found.signatureVerified && found.signerCertificate) return found.signerCertificate;
  } catch (cause) {
    throw refused('timestamp-untrusted', messageOf(cause), cause);
  }
  throw refused('timestamp-forged', 'its signature is not that of its certificate');
}

/** RFC 3161, 2.3: one extended key usage, for stamping time, and marked as critical. */
function checkPurpose(certificate: Certificate): void {
  const usage = certificate.extensions?.find(({ extnID }) => extnID === OID.extendedKeyUsage);
  const purposes: unknown = (usage?.parsedValue as { keyPurposes?: unknown })?.keyPurposes;
  const only = Array.isArray(purposes) && purposes.length === 1 && purposes[0] === OID.timeStamping;
  if (usage?.critical !== true || !only) {
    const because = 'its certificate is not for stamping time alone (critical extended key usage)';
    throw refused('timestamp-unfit-certificate', because);
  }
}

/** RFC 3161, 2.4.2: the signature names the certificate, so nobody can put another under it. */
function checkNamed(signed: SignedData, certificate: Certificate): void {
  const attributes = signed.signerInfos[0]?.signedAttrs?.attributes ?? [];
  const attribute = (type: string) => attributes.find((one) => one.type === type)?.values[0];
  const kind: unknown = attribute(OID.contentType)?.valueBlock.toString();
  if (kind !== OID.tstInfo) {
    throw refused('timestamp-forged', 'its signature is not over a time');
  }
  const [wanted, algorithm] = namedCertificate(attribute);
  const raw = Buffer.from(certificate.toSchema().toBER());
  if (wanted === undefined || !createHash(algorithm).update(raw).digest().equals(wanted)) {
    throw refused('timestamp-forged', 'its signature does not name its certificate');
  }
}

type Attribute = (type: string) => unknown;

/** The hash in the first ESSCertID (RFC 2634) or ESSCertIDv2 (RFC 5035; without a name SHA-256). */
function namedCertificate(attribute: Attribute): [Buffer | undefined, string] {
  const second = firstIn(firstIn(attribute(OID.signingCertificateV2)));
  if (second !== undefined) {
    const [first, next] = partsOf(second);
    if (first instanceof OctetString) return [octets(first), 'sha256'];
    const name = new Map([
      ['2.16.840.1.101.3.4.2.1', 'sha256'],
      ['2.16.840.1.101.3.4.2.2', 'sha384'],
      ['2.16.840.1.101.3.4.2.3', 'sha512'],
    ]).get(String(partsOf(first)[0]?.valueBlock));
    return [name === undefined ? undefined : octets(next), name ?? 'sha256'];
  }
  const first = firstIn(firstIn(attribute(OID.signingCertificate)));
  return [octets(partsOf(first)[0]), 'sha1'];
}

function partsOf(value: unknown): Constructed['valueBlock']['value'] {
  return value instanceof Sequence ? value.valueBlock.value : [];
}

function firstIn(value: unknown): unknown {
  return partsOf(value)[0];
}

function octets(value: unknown): Buffer | undefined {
  return value instanceof OctetString ? Buffer.from(value.valueBlock.valueHexView) : undefined;
}
