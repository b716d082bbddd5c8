// SPDX-License-Identifier: Apache-2.0
import { EvidenceFault } from './fault.ts';

/** The declaration that makes a directory a bag (RFC 8493 section 2.1.1). */
export const BAGIT_TXT = 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n';
/** The lines of a checksum list in a bag name files by these. */
export const PAYLOAD_MANIFEST = 'manifest-sha256.txt';
export const TAG_MANIFEST = 'tagmanifest-sha256.txt';
export const CHECKSUMS = 'data/sha256sums.txt';
export const CHAIN = 'custody/chain.jsonl';
export const REPORTS = 'custody/reports';

const VALUE_CHARACTERS_MAX = 1_000;
const LABEL = /^[A-Za-z][A-Za-z0-9-]{0,63}$/;
const OWN_LABELS = ['Payload-Oxum', 'Bag-Software-Agent'];
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

/**
 * bag-info.txt: one line per label, so that no value can begin a line of its own. Throws
 * EvidenceFault `bag-refused` for a label that is none or that the bag writes itself.
 */
export function bagInfo(
  info: Readonly<Record<string, string>>,
  payload: { readonly bytes: number; readonly files: number },
): string {
  const lines = Object.entries(info).map(([label, value]) => {
    if (!LABEL.test(label) || OWN_LABELS.includes(label)) {
      throw new EvidenceFault('bag-refused', 'a bag-info label is letters, digits and hyphens');
    }
    return `${label}: ${oneLine(value)}`;
  });
  const own = [`Payload-Oxum: ${payload.bytes}.${payload.files}`, 'Bag-Software-Agent: impound'];
  return `${[...lines, ...own].join('\n')}\n`;
}

function oneLine(value: string): string {
  return value.slice(0, VALUE_CHARACTERS_MAX).toWellFormed().replace(CONTROLS, ' ').trim();
}

/** A capture in a bag: the names of its two objects. */
export interface BagCapture {
  readonly archive: string;
  readonly manifest: string;
}

/** What a bag has of the log. */
export interface LogTexts {
  /** Whether there is a proof of sigsum for the seal. */
  readonly seal: boolean;
  /** Which tokens of an authority of time there are. */
  readonly time: readonly ('after' | 'before')[];
  /** Whether who captured and stored has signed that. */
  readonly statements: boolean;
  /** Whether there is a root over the heads of all chains. */
  readonly heads: boolean;
}

/** What a bag has beside the chain itself. */
export interface CustodyTexts {
  readonly log: LogTexts | undefined;
  /** Paths of what tells the chain for people and their tools. */
  readonly reports: readonly string[];
}

/** README.txt: lines that begin with "$ " are commands, run in the directory of the bag. */
export function readme(
  captures: readonly BagCapture[],
  files: number,
  { log, reports }: CustodyTexts,
): string {
  const checks = [...extraction(captures, files), ...captures.flatMap(ends)];
  const proofs = log === undefined ? [] : proofsOf(log);
  const limits = log === undefined ? [] : NOT_PROVEN;
  const told = reports.length === 0 ? [] : [...REPORTED, ...reports.map((path) => `   ${path}`)];
  const lines = [...INTRODUCTION, ...checks, ...CUSTODY, ...told, ...proofs, ...limits];
  return `${lines.join('\n')}\n`;
}

const REPORTED = [
  '',
  '   What the chain says, told for people, spreadsheets and other tools (CASE/UCO). These files are',
  '   made from the chain, which alone counts. Nobody has signed the form at the end of the PDF:',
  '',
];

const INTRODUCTION = [
  'Evidence in a BagIt bag (RFC 8493)',
  '==================================',
  '',
  'data/*.tar.zst            what was collected: a tar in zstd frames',
  'data/*manifest.jsonl      every file with path, size, mode, owner, times and SHA-256; what was',
  '                          asked for and not obtained; what the collection did to the target',
  'data/sha256sums.txt       SHA-256 of every file inside the archives',
  'custody/chain.jsonl       the chain of custody, one entry per line, byte for byte as recorded',
  '',
  'To check it you need sha256sum (GNU coreutils 9 or later), zstd and tar, no other program.',
  'The commands are run in this directory. The first two must print OK for every file.',
  '',
  '1. The bag is complete and unchanged:',
  '',
  `$ sha256sum -c ${PAYLOAD_MANIFEST}`,
  `$ sha256sum -c ${TAG_MANIFEST}`,
  '',
  '   To rely on it, compare the next digest with the one that you got by another way:',
  '',
  `$ sha256sum ${TAG_MANIFEST}`,
  '',
];

function extraction(captures: readonly BagCapture[], files: number): string[] {
  if (captures.length === 0) return [];
  const check = `$ (cd ../tree && sha256sum --quiet -c "$OLDPWD/${CHECKSUMS}")`;
  return [
    '2. Every file in the archives is the one in the list (silence means that all fit):',
    '',
    '$ mkdir ../tree',
    ...captures.map(({ archive }) => `$ zstd -dc data/${archive} | tar -xof - -C ../tree`),
    ...(files > 0 ? [check] : []),
    '',
    '   Links in the tree point wherever they pointed in the target: do not follow them.',
    '   Names over 4,000 bytes lie under long/ by a digest; the manifest has the whole name.',
    '',
  ];
}

function ends({ archive, manifest }: BagCapture): string[] {
  return [
    `3. The last line of data/${manifest} names the SHA-256 of all lines before it and of`,
    `   data/${archive}:`,
    '',
    `$ sed '$d' data/${manifest} | sha256sum`,
    `$ sha256sum data/${archive}`,
    `$ tail -n 1 data/${manifest}`,
    '',
  ];
}

const CUSTODY = [
  '4. Each entry of the chain names in "acqPrev" the hash of the entry before it, which is the',
  '   SHA-256 of a zero byte and the line without its newline (RFC 6962 section 2.1). The last',
  '   entries name the digests of the objects in data/. This prints the hash of each entry:',
  '',
  `$ while IFS= read -r e; do printf '\\0%s' "$e" | sha256sum; done < ${CHAIN}`,
];

const LOG = [
  '',
  '5. The log. Every entry of the chain is a leaf of a Merkle tree (RFC 6962) that others have seen',
  '   grow. custody/checkpoint is a signed note (c2sp.org/tlog-checkpoint) over its size and root:',
  '   custody/checkpoint.text is what was signed, custody/checkpoint.sig the signature of the log.',
  '   Compare custody/log.vkey with the key that you got by another way. openssl 3 or later:',
  '',
  '$ head -n 3 custody/checkpoint | cmp - custody/checkpoint.text',
  '$ openssl pkeyutl -verify -rawin -pubin -inkey custody/log.pem -in custody/checkpoint.text \\',
  '$     -sigfile custody/checkpoint.sig',
  '',
  '   Each entry stands in that tree: custody/entries/*.json are the lines of the chain without',
  '   their newline, .tlog-proof (c2sp.org/tlog-proof) and .spicy the proof in two forms.',
  '   spicy-litetlog comes with the package litetlog of Debian 13:',
  '',
  '$ for e in custody/entries/*.json; do cat "$e"; echo; done | cmp - custody/chain.jsonl',
  '$ (for e in custody/entries/*.json; do',
  '$     spicy-litetlog -verify "$(cat custody/log.vkey)" "$e" || exit 1; done)',
];

const SEAL = [
  '',
  '6. The seal. custody/seal/seal.json is the entry that ended the acquisition; it names every',
  '   object in data/ with its SHA-256. Who signed it is known by custody/seal/submitter.pub, and',
  '   custody/seal/policy says which log, and which witnesses, must have signed as well. Compare',
  '   both with those that you got by another way. sigsum-verify comes with the package sigsum-go',
  '   of Debian 13 and Ubuntu 24.04. The second command must print OK for every object:',
  '',
  '$ sigsum-verify -k custody/seal/submitter.pub -p custody/seal/policy custody/seal/seal.proof \\',
  '$     < custody/seal/seal.json',
  "$ sed 's/},{/}\\n{/g' custody/seal/seal.json \\",
  '$     | sed -n \'s/.*"name":"\\([^"]*\\)","sha256":"\\([0-9a-f]*\\)".*/\\2  data\\/\\1/p\' \\',
  '$     | sha256sum -c',
];

function proofsOf(log: LogTexts): readonly string[] {
  const signed = log.statements ? STATEMENTS : [];
  return [
    ...LOG,
    ...(log.seal ? SEAL : []),
    ...timeOf(log),
    ...signed,
    ...(log.heads ? HEADS : []),
  ];
}

function timeOf({ time }: LogTexts): string[] {
  return time.length === 0 ? [] : [...TIME, ...time.flatMap((one) => BOUNDS[one])];
}

const TIME = [
  '',
  '7. The time. An authority that is not the log (RFC 3161) has signed when it saw a checkpoint.',
  '   Compare custody/time/tsa.pem with its certificate that you got by another way.',
];

const BOUNDS = {
  after: [
    '',
    '   custody/time/after.json is an entry of the log in front of the first one here. It names the',
    '   SHA-256 of the token after.tsr, so that entry, and what stands behind it, came into the log',
    '   after the time in the token. The first digest must be the one in the second line:',
    '',
    '$ openssl ts -verify -data custody/time/after.checkpoint -in custody/time/after.tsr \\',
    '$     -CAfile custody/time/tsa.pem',
    '$ sha256sum custody/time/after.tsr',
    '$ grep -o \'"tokenSha256":"[0-9a-f]*"\' custody/time/after.json',
    '$ spicy-litetlog -verify "$(cat custody/log.vkey)" custody/time/after.json',
    "$ openssl ts -reply -in custody/time/after.tsr -text | grep 'Time stamp'",
  ],
  before: [
    '',
    '   custody/time/before.json is an entry of the chain, the seal where there is one, and names the',
    '   hashes of all before it. It stands in the tree of before.checkpoint, and the token before.tsr',
    '   is over that: the chain up to this entry is older than the time in the token.',
    '',
    '$ openssl ts -verify -data custody/time/before.checkpoint -in custody/time/before.tsr \\',
    '$     -CAfile custody/time/tsa.pem',
    '$ grep -cxF -f custody/time/before.json custody/chain.jsonl',
    '$ spicy-litetlog -verify "$(cat custody/log.vkey)" custody/time/before.json',
    "$ openssl ts -reply -in custody/time/before.tsr -text | grep 'Time stamp'",
  ],
} as const;

const STATEMENTS = [
  '',
  '8. Who captured and who stored. Each has signed that by a key of its own: custody/statements/*.json',
  '   is what was said (in-toto.io/Statement/v1), under the number of its entry, whose "statement"',
  '   (DSSE) holds it in base64. What is signed is "DSSEv1 28 application/vnd.in-toto+json", its',
  '   length and it. Compare the keys in *.pem with those that you got by another way:',
  '',
  '$ (for s in custody/statements/*.json; do n="$(basename "$s" .json)"',
  '$     grep -qF "$(base64 -w0 < "$s")" "custody/entries/$n.json" || exit 1',
  '$     printf \'DSSEv1 28 application/vnd.in-toto+json %d \' "$(wc -c < "$s")" \\',
  '$         | cat - "$s" > ../signed',
  '$     openssl pkeyutl -verify -rawin -pubin -inkey "custody/statements/$n.pem" \\',
  '$         -in ../signed -sigfile "custody/statements/$n.sig" || exit 1; done)',
  '',
  '   custody/signers/*.json are the entries of the log that put these keys on record. Each key must',
  '   be in one of them, and each object in data/ in a statement, whose names are printed:',
  '',
  '$ (for e in custody/signers/*.json; do',
  '$     spicy-litetlog -verify "$(cat custody/log.vkey)" "$e" || exit 1; done)',
  '$ (for k in custody/statements/*.pem; do',
  '$     grep -qF "$(openssl pkey -pubin -in "$k" -outform DER | tail -c 32 | base64)" \\',
  '$         custody/signers/*.json || exit 1; done)',
  '$ (for f in data/*.tar.zst data/*manifest.jsonl; do [ ! -e "$f" ] \\',
  '$     || grep -lF "$(sha256sum < "$f" | head -c 64)" custody/statements/*.json \\',
  '$     || exit 1; done)',
];

const HEADS = [
  '',
  '9. The end. custody/heads/rooted.json is an entry of the log: a root over the last entries of all',
  '   chains as they were at "size" leaves. custody/heads/head.proof leads from the last entry that',
  '   this chain had then up to it, so nothing was left out up to there. The line acqSeq says how many',
  '   entries that is; `impound verify` follows the hashes, as docs/spec/ledger.md of impound tells:',
  '',
  '$ spicy-litetlog -verify "$(cat custody/log.vkey)" custody/heads/rooted.json',
  '$ cat custody/heads/head.proof',
];

const NOT_PROVEN = [
  '',
  'What none of this proves: that what was collected is true; that an event which never came to the',
  'log did not happen; and, where no witness signed, that the log showed everybody the same tree.',
];
