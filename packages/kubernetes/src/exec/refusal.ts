// SPDX-License-Identifier: Apache-2.0
import { KubernetesFault, type KubernetesFaultCode, quote } from '../fault.ts';
import { networkFault } from '../network-fault.ts';
import { type RefusedAnswer, refusalFault } from '../refusal.ts';
import { parseStatus } from '../status.ts';

interface Wording {
  readonly status: number;
  readonly text: RegExp;
  readonly code: KubernetesFaultCode;
  readonly next: string;
}

/** What the API server and the kubelet say instead of 101 (recorded with 1.36). */
const WORDINGS: readonly Wording[] = [
  {
    status: 403,
    text: /is forbidden:\s*$/,
    code: 'create-exec-missing',
    next: 'grant create on pods/exec beside get; WebSocket exec needs both since 1.35',
  },
  {
    status: 403,
    text: /^\s*$/,
    code: 'subprotocol-refused',
    next: 'the server knows neither v5 nor v4.channel.k8s.io; it is too old, or a proxy is between',
  },
  {
    status: 400,
    text: /a container name must be specified/,
    code: 'container-ambiguous',
    next: 'name one of its containers',
  },
  {
    status: 400,
    text: /is not valid for pod/,
    code: 'container-not-found',
    next: 'the pod has no such container; read the pod again',
  },
  {
    status: 400,
    text: /does not have a host assigned/,
    code: 'pod-not-scheduled',
    next: 'the pod is on no node yet; wait or read its events',
  },
  {
    status: 500,
    text: /container not found \(/,
    code: 'container-not-found',
    next: "the container does not run now; read the pod's status to see why",
  },
];

/** The fault for an HTTP answer that came in place of the upgrade. */
export function upgradeRefusal(answer: RefusedAnswer): KubernetesFault {
  const message = parseStatus(answer.body)?.message || answer.body;
  const worded = WORDINGS.find((one) => one.status === answer.status && one.text.test(message));
  if (!worded) return refusalFault(answer, 'exec');
  const said = quote(message) || '(no text)';
  return new KubernetesFault(worded.code, `exec: ${answer.status} ${said}; ${worded.next}`, {
    status: answer.status,
  });
}

/** The fault for an error that the WebSocket client raised before the channel was open. */
export function handshakeFault(error: Error, host: string): KubernetesFault {
  if (/subprotocol/.test(error.message)) {
    return new KubernetesFault(
      'subprotocol-refused',
      `${host}: ${quote(error.message)}; v5 or v4.channel.k8s.io is needed, is a proxy between?`,
      { cause: error },
    );
  }
  if (/Sec-WebSocket|Upgrade header|extension/.test(error.message)) {
    return new KubernetesFault(
      'protocol-violation',
      `${host} does not speak WebSocket: ${quote(error.message)}; is a proxy between?`,
      { cause: error },
    );
  }
  return networkFault(error, host);
}
