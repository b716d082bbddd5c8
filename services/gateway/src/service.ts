// SPDX-License-Identifier: Apache-2.0
import { AcquisitionApprovedV1 } from '@impound/contracts/acquisition/approved.v1.ts';
import { AcquisitionCancelledV1 } from '@impound/contracts/acquisition/cancelled.v1.ts';
import { AcquisitionDeniedV1 } from '@impound/contracts/acquisition/denied.v1.ts';
import { AcquisitionExpiredV1 } from '@impound/contracts/acquisition/expired.v1.ts';
import { AcquisitionFailedV1 } from '@impound/contracts/acquisition/failed.v1.ts';
import { AcquisitionJoinedV1 } from '@impound/contracts/acquisition/joined.v1.ts';
import { AcquisitionRefusedV1 } from '@impound/contracts/acquisition/refused.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import { AcquisitionTriggeredV1 } from '@impound/contracts/acquisition/triggered.v1.ts';
import { GatewaySubmitV1 } from '@impound/contracts/ask/gateway.submit.v1.ts';
import { AuditDeniedV1 } from '@impound/contracts/audit/denied.v1.ts';
import { AuditReadV1 } from '@impound/contracts/audit/read.v1.ts';
import { CallbackDeliveredV1 } from '@impound/contracts/callback/delivered.v1.ts';
import { CallbackFailedV1 } from '@impound/contracts/callback/failed.v1.ts';
import { CallbackRequestedV1 } from '@impound/contracts/callback/requested.v1.ts';
import { CancellationRequestedV1 } from '@impound/contracts/cancellation/requested.v1.ts';
import { EvidenceAccessedV1 } from '@impound/contracts/evidence/accessed.v1.ts';
import { EvidenceInspectedV1 } from '@impound/contracts/evidence/inspected.v1.ts';
import { PermissionDeniedV1 } from '@impound/contracts/permission/denied.v1.ts';
import { answer, type House, on, service } from '@impound/runtime/service.ts';
import { watchEvents, watchProgress } from '@impound/runtime/watch.ts';
import type * as z from 'zod';
import { followPolicies } from './adapters/cedar-policies.ts';
import { openDoorkeeper } from './adapters/doorkeeper.ts';
import { acquisitionRoutes, startRoutes } from './adapters/http-acquisitions.ts';
import { auditRoute } from './adapters/http-audit.ts';
import { callbackRoutes } from './adapters/http-callbacks.ts';
import { clusterRoutes } from './adapters/http-clusters.ts';
import { eventsRoute } from './adapters/http-events.ts';
import { evidenceRoute, inspectRoute } from './adapters/http-evidence.ts';
import { ingestRoute, readPresets } from './adapters/http-ingest.ts';
import { openKnown } from './adapters/http-known.ts';
import { openFront, type TlsFiles } from './adapters/http-listen.ts';
import { addLog, bundleRoute, logRoutes } from './adapters/http-log.ts';
import { addRoutes, openApp } from './adapters/http-server.ts';
import { openHands } from './adapters/http-turns.ts';
import { openIntegrations } from './adapters/integrations-file.ts';
import { openApiDocument } from './adapters/openapi.ts';
import { openStanding } from './adapters/standing.ts';
import { openPost } from './adapters/webhook-post.ts';
import { config } from './config.ts';
import { BUNDLES_MAX } from './domain/limits.ts';
import { acquisitionEnded } from './handlers/acquisition-ended.ts';
import { acquisitionRequested } from './handlers/acquisition-requested.ts';
import { readAudit } from './handlers/audit.ts';
import { openBounds } from './handlers/bounds.ts';
import { readBundle } from './handlers/bundle.ts';
import { callbackFailed, callbackUntold } from './handlers/callback-failed.ts';
import { callbackRequested } from './handlers/callback-requested.ts';
import { listCallbacks, sendAgain } from './handlers/callbacks.ts';
import { damage } from './handlers/damage.ts';
import { decide } from './handlers/decide.ts';
import { openDenials } from './handlers/denial.ts';
import { accessEvidence } from './handlers/evidence-access.ts';
import { inspectEvidence } from './handlers/evidence-inspect.ts';
import { followed, type Watch } from './handlers/follow.ts';
import { gatewaySubmit } from './handlers/gateway-submit.ts';
import { bound, openLogReads } from './handlers/log-read.ts';
import { listAcquisitions, lookAround, textsOf, viewAcquisition } from './handlers/look.ts';
import { submit } from './handlers/submission.ts';

/** Whoever asked is told of the end after it. */
const OUTLIVES = { outlives: true };

/** The one door for people and programs: HTTP, and the same orders over NATS. */
export const gateway = service({
  name: 'gateway',
  config,
  open,
  says: [
    AcquisitionRequestedV1,
    AcquisitionApprovedV1,
    AcquisitionRefusedV1,
    AcquisitionDeniedV1,
    AcquisitionTriggeredV1,
    CancellationRequestedV1,
    EvidenceAccessedV1,
    EvidenceInspectedV1,
    PermissionDeniedV1,
    AuditReadV1,
    AuditDeniedV1,
    CallbackDeliveredV1,
    CallbackFailedV1,
    CallbackRequestedV1,
  ],
  hears: [
    on(AcquisitionRequestedV1, acquisitionRequested, callbackUntold, OUTLIVES),
    on(AcquisitionSealedV1, acquisitionEnded, callbackUntold, OUTLIVES),
    on(AcquisitionFailedV1, acquisitionEnded, callbackUntold, OUTLIVES),
    on(AcquisitionCancelledV1, acquisitionEnded, callbackUntold, OUTLIVES),
    on(AcquisitionExpiredV1, acquisitionEnded, callbackUntold, OUTLIVES),
    on(AcquisitionRefusedV1, acquisitionEnded, callbackUntold, OUTLIVES),
    on(AcquisitionJoinedV1, acquisitionEnded, callbackUntold, OUTLIVES),
    on(CallbackFailedV1, callbackFailed, callbackUntold, OUTLIVES),
    on(CallbackRequestedV1, callbackRequested, callbackUntold, OUTLIVES),
  ],
  answers: [answer(GatewaySubmitV1, gatewaySubmit)],
});

type Given = z.output<typeof config>;

async function open(given: Given, scope: AsyncDisposableStack, house: House) {
  const { ask, say, log, stopping } = house;
  const now = () => Date.now();
  const policies = await followPolicies(given.POLICY_DIR, house);
  const denials = openDenials({ say, log, now });
  const bounds = openBounds({ ask, now });
  const deps = { ask, say, now, policies, denials, bounds, watch: watchOf(house) };
  const integrations = await openIntegrations(given.INTEGRATIONS_FILE, log);
  const door = openDoorkeeper(integrations, now);
  const standing = openStanding(integrations, now, stopping);
  const damaged = damage({ integrations, policies }, stopping);
  const crowd = { hands: openHands(), known: openKnown() };
  const app = openApp({ door, ...crowd, health: damaged.health, document: openApiDocument() }, log);
  const behind = {
    submit: (of: Parameters<typeof submit>[0]) => submit(of, deps, stopping),
    decide: (of: Parameters<typeof decide>[0]) => decide(of, deps, stopping),
    list: listAcquisitions(deps, stopping),
    view: viewAcquisition(deps, stopping),
    chain: textsOf(deps, stopping),
  };
  const reads = openLogReads(deps, stopping);
  const bundled = bound(BUNDLES_MAX);
  addRoutes(app, [
    ...startRoutes(behind),
    ingestRoute(behind, await readPresets()),
    ...acquisitionRoutes(behind),
    eventsRoute(followed(deps), standing, stopping),
    evidenceRoute((access, signal) => accessEvidence(access, deps, signal), log, stopping),
    inspectRoute((of) => inspectEvidence(of, deps, stopping)),
    auditRoute((audit) => readAudit(audit, deps, stopping)),
    ...callbackRoutes({
      list: (caller, from) => listCallbacks(caller, from, deps, stopping),
      sendAgain: (of) => sendAgain(of, { ...deps, integrations }, stopping),
    }),
    ...clusterRoutes(lookAround(deps, stopping)),
    ...logRoutes(reads),
    bundleRoute((wanted) => bundled(() => readBundle(wanted, deps, stopping))),
  ]);
  addLog(app, reads);
  const at = { host: given.GATEWAY_HOST, port: given.GATEWAY_PORT };
  const front = { app, ...crowd, at, files: tlsFilesOf(given), renewed: standing.renewed };
  const { url, fault } = await openFront(front, house, scope);
  damaged.watch('tls', fault);
  const post = await openPost(
    { networks: given.CALLBACK_NETWORKS, caFile: given.CALLBACK_CA_FILE },
    now,
  );
  return { ...deps, door, integrations, post, url };
}

function tlsFilesOf(given: Given): TlsFiles {
  return {
    cert: given.GATEWAY_TLS_CERT_FILE,
    key: given.GATEWAY_TLS_KEY_FILE,
    clientCa: given.GATEWAY_TLS_CLIENT_CA_FILE,
    crl: given.GATEWAY_TLS_CRL_FILE,
  };
}

function watchOf(house: House): Watch {
  return {
    events: (of, seen, signal) => watchEvents(house, of, seen, signal),
    progress: (of, heard, signal) => watchProgress(house, of, heard, signal),
  };
}
