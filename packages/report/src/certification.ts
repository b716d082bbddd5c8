// SPDX-License-Identifier: Apache-2.0
import type { Account } from './account.ts';

/** A paragraph of a form; `blank` ones are filled in by hand. */
export interface Paragraph {
  readonly text: string;
  readonly blank?: true;
}

/**
 * A certification for a qualified person to complete and sign (Federal Rules of Evidence 902(13)
 * and 902(14)): the facts of the record are filled in, who certifies them is not. What the person
 * has to have done is said in the first person, so that nobody signs what was not done.
 */
export function certification(account: Account, bag: { readonly sha256?: string }): Paragraph[] {
  const { state, exhibits, entries } = account;
  const head = entries.at(-1)?.leaf ?? 'none';
  const bagHash = bag.sha256 ?? '________________ (SHA-256 of tagmanifest-sha256.txt)';
  return [
    blank('1. My name is'),
    blank(
      '2. I am employed as (title, organisation), and I am qualified to make this statement by',
    ),
    written(
      `3. The electronic records listed as exhibits in this report, ${exhibits.length} in number, ` +
        `were acquired under acquisition ${state.acquisitionId} by a process that copies files from ` +
        'a running container, computes the SHA-256 digest of each as it is read, packs them with ' +
        'their digests into an archive and a manifest, stores both, reads them back from the store ' +
        'and compares the digests. Each step is an entry in a log to which entries can only be added.',
    ),
    written(
      '4. I verified the copy that accompanies this report by a process of digital identification: ' +
        'I computed the SHA-256 digest of each exhibit and of each file in it and compared it with ' +
        `the digest on record. The SHA-256 of the bag's tag manifest is ${bagHash}; the hash of the ` +
        `last of the ${entries.length} entries of its chain of custody is ${head}.`,
    ),
    blank('5. I performed this verification on (date), with (programs and their versions)'),
    blank('6. Every digest agreed, except'),
    blank('7. The process produces an accurate result. My basis for saying so is'),
    written(
      '8. This acquisition altered the system it was taken from as far as this report says under ' +
        '"Known effects on the source", and no further to my knowledge.',
    ),
    written('I declare under penalty of perjury that the foregoing is true and correct.'),
    blank('Executed on (date), at (place)'),
    blank('Signature'),
  ];
}

function written(text: string): Paragraph {
  return { text };
}

function blank(text: string): Paragraph {
  return { text, blank: true };
}
