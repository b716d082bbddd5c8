// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Count, Sha256, Tenant, Time, text } from './ids.ts';
import { Method, Profile } from './methods.ts';

/** The name of an integration; it is the actor's id on every chain, and never given out again. */
export const IntegrationId = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'an id is 1 to 63 of a-z 0-9 -')
  .brand<'IntegrationId'>();
export type IntegrationId = z.output<typeof IntegrationId>;

/** A secret of Standard Webhooks: `whsec_` and the base64 of 24 to 64 bytes. */
export const WebhookSecret = z
  .string()
  .regex(/^whsec_(?:[A-Za-z0-9+/]{4}){8,21}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, {
    message: 'whsec_ and the base64 of 24 to 64 bytes',
  });

const Named = {
  /** Which credential it was, on the chain and in the log. */
  id: z.string().regex(/^[a-z0-9-]{1,32}$/, 'a credential is called by 1 to 32 of a-z 0-9 -'),
  /** It is no longer known from then on: how the old one ends after a rotation. */
  notAfter: Time.optional(),
};

const NKEY = (kind: string) => new RegExp(`^${kind}[A-Z2-7]{55}$`);

/** One way by which an integration shows that it is the one. */
export const Credential = z.discriminatedUnion('kind', [
  /** A static token, kept as its SHA-256; `inUrl`: also taken from the path, to submit only. */
  z.strictObject({
    kind: z.literal('token'),
    ...Named,
    sha256: Sha256,
    inUrl: z.boolean().default(false),
  }),
  /** Signed by Standard Webhooks; the secret itself is needed to check it. */
  z.strictObject({ kind: z.literal('hmac'), ...Named, secret: WebhookSecret }),
  /** A client certificate, by the SHA-256 of its DER or by its subject (`C=DE,O=Shop,CN=siem`). */
  z
    .strictObject({
      kind: z.literal('certificate'),
      ...Named,
      sha256: Sha256.optional(),
      subject: text(1_024).optional(),
    })
    .refine((one) => (one.sha256 === undefined) !== (one.subject === undefined), {
      message: 'give sha256 or subject, one of the two',
    }),
  /** A NATS identity, by its public keys: the server tells which one a request comes from. */
  z
    .strictObject({
      kind: z.literal('nats'),
      ...Named,
      account: z.string().regex(NKEY('A'), 'a public account NKey').optional(),
      user: z.string().regex(NKEY('U'), 'a public user NKey').optional(),
    })
    .refine((one) => one.account !== undefined || one.user !== undefined, {
      message: 'give account or user, or both',
    }),
]);
export type Credential = z.output<typeof Credential>;

/** Names of clusters or namespaces; `*` alone stands for all of them. */
const Names = z.array(text(256)).min(1).max(256);

const EVERY_PROFILE = Profile.options;
const GIBIBYTES = 1_024 ** 3;

/** Where and how an integration is told what became of its orders (Standard Webhooks). */
export const Callback = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).max(2_048),
  /** The first signs; during a rotation both do. */
  secrets: z.array(WebhookSecret).min(1).max(2),
  on: z
    .array(z.enum(['ended', 'approval-needed']))
    .min(1)
    .default(['ended', 'approval-needed']),
});
export type Callback = z.output<typeof Callback>;

/** Who may come in, how it shows that it is the one, and what it may. */
export const Integration = z.strictObject({
  id: IntegrationId,
  kind: z.enum(['person', 'integration']),
  tenant: Tenant,
  about: text(256).optional(),
  credentials: z.array(Credential).max(16),
  clusters: Names,
  namespaces: Names,
  /** Absent: every method. */
  methods: z.array(Method).min(1).optional(),
  profiles: z.array(Profile).min(1).default(EVERY_PROFILE),
  /** The most that one execution may take from a target. */
  budget: z
    .strictObject({
      bytesMax: Count.default(10 * GIBIBYTES),
      secondsMax: z.int().min(1).max(86_400).default(3_600),
    })
    .prefault({}),
  limits: z
    .strictObject({
      /** Acquisitions that have not ended, at one time. */
      openMax: z.int().min(1).max(10_000).default(100),
      requestsPerSecond: z.int().min(1).max(10_000).default(50),
      ordersPerHour: z.int().min(1).max(10_000_000).default(3_600),
    })
    .prefault({}),
  /** Whether what it asks for waits for a second person. */
  approval: z.enum(['never', 'always']).default('always'),
  mayApprove: z.boolean().default(false),
  mayReadEvidence: z.boolean().default(false),
  /** Whether it may have the store asked how it holds evidence; who may read evidence may, too. */
  mayInspect: z.boolean().default(false),
  /** Whether it may read the log of its tenant across acquisitions: an auditor. */
  mayAudit: z.boolean().default(false),
  /** Whether an auditor may copy the whole log, with the entries of every other tenant. */
  mayAuditAllTenants: z.boolean().default(false),
  /** An alert that fires again within this time is the same order; 0: never. */
  repeatSeconds: z.int().min(0).max(86_400).default(3_600),
  /** Findings on one container within this time are one acquisition; 0: each is its own.
   * Absent: 300 for an integration, 0 for a person. */
  stormSeconds: z.int().min(0).max(86_400).optional(),
  callback: Callback.optional(),
  /** From then on nobody comes in by it; the entry stays, so that its id stays taken. */
  revokedAt: Time.optional(),
});
export type Integration = z.output<typeof Integration>;

/** What was changed in the file, by whom: the gateway logs it when it reads the file again. */
export const Change = z.strictObject({
  at: Time,
  /** The account on the machine where it was changed. */
  by: text(128),
  what: z.enum(['added', 'rotated', 'revoked']),
  id: IntegrationId,
  /** The credential that is new, or that is gone. */
  credential: Named.id.optional(),
});
export type Change = z.output<typeof Change>;

/** The most changes that the file keeps; the oldest go first. */
export const CHANGES_MAX = 1_000;

/** The file of all integrations. */
export const Integrations = z
  .strictObject({
    version: z.literal(1),
    integrations: z.array(Integration).max(1_000),
    changes: z.array(Change).max(CHANGES_MAX).default([]),
  })
  .superRefine(({ integrations }, context) => {
    const taken = new Set<string>();
    for (const [index, integration] of integrations.entries()) {
      for (const mark of marksOf(integration)) {
        const path = ['integrations', index];
        if (taken.has(mark.what)) context.addIssue({ code: 'custom', path, message: mark.fault });
        taken.add(mark.what);
      }
    }
  });
export type Integrations = z.output<typeof Integrations>;

/** What only one integration may have: two behind one credential would be one too many. */
function marksOf({ id, credentials }: Integration): { what: string; fault: string }[] {
  const own = credentials.map((one) => ({
    what: JSON.stringify([id, one.id]),
    fault: `two credentials are called ${one.id}`,
  }));
  const known = credentials.map((one) => ({
    what: JSON.stringify([one.kind, keyOf(one)]),
    fault: `credential ${one.id} is known already`,
  }));
  return [{ what: id, fault: `two integrations are called ${id}` }, ...own, ...known];
}

function keyOf(credential: Credential): unknown {
  if (credential.kind === 'token') return credential.sha256;
  if (credential.kind === 'hmac') return credential.secret;
  if (credential.kind === 'certificate') return credential.sha256 ?? credential.subject;
  return [credential.account, credential.user];
}
