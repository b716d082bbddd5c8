// SPDX-License-Identifier: Apache-2.0

/** Why a note, a key, a proof or a policy is not taken. docs/spec/ledger.md explains each. */
export type ProofFaultCode =
  | 'key-malformed'
  | 'note-malformed'
  | 'checkpoint-malformed'
  | 'proof-malformed'
  | 'policy-malformed'
  | 'signature-missing'
  | 'signature-refused'
  | 'proof-refused'
  | 'quorum-unmet';

/** What a reader of the public forms refuses; the message says what and where. */
export class ProofFault extends Error {
  override readonly name = 'ProofFault';
  readonly code: ProofFaultCode;

  constructor(code: ProofFaultCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
