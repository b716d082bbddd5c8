// SPDX-License-Identifier: Apache-2.0
import { arch, cpus, release, totalmem } from 'node:os';
import { type KubeObject, kubeTime, metadata } from './api/kube-object.ts';

/** The only node, with the truth about this machine's size and the recorded software versions. */
export function nodeObject(name: string, version: number): KubeObject {
  const architecture = arch() === 'x64' ? 'amd64' : arch();
  const os = { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': architecture };
  const labels = { ...os, 'kubernetes.io/hostname': name };
  const size = {
    cpu: String(cpus().length),
    memory: `${Math.floor(totalmem() / 1024)}Ki`,
    pods: '110',
  };
  return {
    metadata: metadata(name, { version, labels }),
    spec: {},
    status: {
      capacity: size,
      allocatable: size,
      conditions: conditions(kubeTime(new Date())),
      addresses: [
        { type: 'InternalIP', address: '172.17.0.1' },
        { type: 'Hostname', address: name },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
      nodeInfo: nodeInfo(architecture),
      images: [],
      declaredFeatures: ['ExtendWebSocketsToKubelet'],
    },
  };
}

function nodeInfo(architecture: string) {
  return {
    machineID: '00000000000000000000000000001ab0',
    systemUUID: '00000000-0000-4000-8000-000000001ab0',
    bootID: '00000000-0000-4000-8000-000000001ab1',
    kernelVersion: release(),
    osImage: 'Debian GNU/Linux 12 (bookworm)',
    containerRuntimeVersion: 'containerd://1.6.20',
    kubeletVersion: 'v1.36.2',
    kubeProxyVersion: '',
    operatingSystem: 'linux',
    architecture,
  };
}

function conditions(time: string) {
  const pressures = ['Memory', 'Disk', 'PID'].map((what) => ({
    type: `${what}Pressure`,
    status: 'False',
    reason: `KubeletHasNo${what}Pressure`,
  }));
  const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady' };
  return [...pressures, ready].map((one) => ({
    ...one,
    lastHeartbeatTime: time,
    lastTransitionTime: time,
  }));
}
