// SPDX-License-Identifier: Apache-2.0
import type { Signers } from '@impound/contracts/signer.ts';
import { SIGNING_SERVICES } from '@impound/contracts/signing-services.ts';
import { checkOf, type Finding } from './finding.ts';

/** By which keys services sign what they capture and store, as the ledger is told. */
export interface SignerSettings {
  readonly listed: Signers | undefined;
  /** Whose key lies where the service finds it, in base64; undefined: nobody can look. */
  readonly held: ReadonlyMap<string, string> | undefined;
}

const ADVICE = 'docs/deployment.md, "Who signs evidence"';

/** What it means where a service signs nothing, or by a key that the ledger does not know. */
export function signerFinding({ listed, held }: SignerSettings): Finding {
  const check = checkOf('signers');
  const keys = new Map(Object.entries(listed ?? {}));
  const unlisted = SIGNING_SERVICES.filter((service) => !keys.has(service));
  if (unlisted.length > 0) {
    return check.advice(
      `${unlisted.join(', ')}: no key is listed, so that whoever has the bus can speak in its name`,
      `impound init makes keys; name the list to the ledger in SIGNERS_FILE: ${ADVICE}`,
    );
  }
  const wrong = SIGNING_SERVICES.filter((service) => {
    const own = held?.get(service);
    const known = keys.get(service)?.some(({ publicKey }) => publicKey === own);
    return held !== undefined && known !== true;
  });
  if (wrong.length === 0) {
    const all = SIGNING_SERVICES.join(', ');
    if (held !== undefined) return check.ok(`${all} sign what they capture and store`);
    // Who has none says so itself: packages/runtime/src/statement.ts.
    return check.ok(`${all}: a key is listed; whoever lacks it logs "not taken as it is signed"`);
  }
  return check.sick(
    `${wrong.join(', ')}: its key is missing, or not the one in signers.json: nothing is taken of it`,
    `put the key back, or start impound up, which makes one and lists it: ${ADVICE}`,
  );
}
