// SPDX-License-Identifier: Apache-2.0

const POD = { namespace: 'shop', pod: 'cart-7f9c', container: 'cart' };
const WHOLE = 'kubernetes://prod-eu/shop/cart-7f9c/cart';
type Sample = readonly [what: string, preset: string, alert: object, target: string, uid: string];

/** Alerts in the shape in which the products document and send them; the values are our own. */
export const SAMPLES: readonly Sample[] = [
  [
    'Falcosidekick, with a uuid of its own',
    'falco',
    {
      uuid: '5f0c6a2e-9f0e-4a53-8a4f-1f2d3c4b5a69',
      output: '10:11:12.131415161: Notice A shell was spawned (k8s_ns=shop k8s_pod_name=cart-7f9c)',
      priority: 'Notice',
      rule: 'Terminal shell in container',
      time: '2026-11-23T10:11:12.131415161Z',
      source: 'syscall',
      tags: ['container', 'mitre_execution'],
      hostname: 'node-3',
      output_fields: {
        'container.id': 'a1b2c3d4e5f6',
        'container.image.repository': 'registry.example/cart',
        'container.name': 'cart',
        'k8s.ns.name': 'shop',
        'k8s.pod.name': 'cart-7f9c',
        'proc.cmdline': 'bash -i',
        'proc.tty': 34_816,
        'user.loginuid': -1,
      },
    },
    WHOLE,
    '5f0c6a2e-9f0e-4a53-8a4f-1f2d3c4b5a69',
  ],
  [
    'Falco itself, where only the plugin of the API server knows the pod',
    'falco',
    {
      hostname: 'node-3',
      output: '10:11:12.131415161: Warning Sensitive file opened (k8s_pod_name=<NA>)',
      output_fields: {
        'container.name': 'cart',
        'k8s.ns.name': null,
        'k8s.pod.name': '<NA>',
        'k8smeta.ns.name': 'shop',
        'k8smeta.pod.name': 'cart-7f9c',
      },
      priority: 'Warning',
      rule: 'Read sensitive file untrusted',
      source: 'syscall',
      time: '2026-11-23T10:11:12.131415161Z',
    },
    WHOLE,
    'Read sensitive file untrusted:2026-11-23T10:11:12.131415161Z',
  ],
  [
    'OCSF 1.x, a Detection Finding',
    'ocsf',
    {
      activity_id: 1,
      category_uid: 2,
      class_uid: 2004,
      type_uid: 200_401,
      time: 1_795_428_672_131,
      severity_id: 4,
      severity: 'High',
      message: 'a web shell',
      metadata: { version: '1.3.0', product: { name: 'Scanner', vendor_name: 'Example' } },
      finding_info: { uid: 'o-1', title: 'Web shell', types: ['Malware'] },
      resources: [{ type: 'pods', name: 'cart-7f9c', namespace: 'shop', uid: null }],
      evidences: [{ container: { name: 'cart', uid: 'a1b2c3d4e5f6', image: { name: 'cart' } } }],
    },
    WHOLE,
    'o-1',
  ],
  [
    'OCSF 1.0, a Security Finding',
    'ocsf',
    {
      class_uid: 2001,
      message: 'a kernel module',
      severity: 'Medium',
      metadata: { version: '1.0.0', product: { name: 'Sensor' } },
      finding: { uid: 'o-2', title: 'Module loaded', created_time: 1_795_428_672_131 },
      resources: [{ name: 'cart-7f9c', namespace: 'shop' }],
    },
    'kubernetes://prod-eu/shop/cart-7f9c',
    'o-2',
  ],
  [
    'Elastic, context.alerts of a rule on data of the agent',
    'elastic',
    {
      '@timestamp': '2026-11-23T10:11:12.131Z',
      event: { kind: 'signal', category: ['process'] },
      signal: { rule: { name: 'Shell' }, status: 'open' },
      kubernetes: { namespace: 'shop', pod: { name: 'cart-7f9c' }, container: { name: 'cart' } },
      kibana: {
        alert: {
          uuid: 'e-1',
          reason: 'process event with process sh created high alert Shell.',
          severity: 'high',
          rule: { name: 'Shell', uuid: 'r-1', rule_type_id: 'siem.queryRule' },
        },
      },
    },
    WHOLE,
    'e-1',
  ],
  [
    'Elastic, an alert of Defend for Containers, which names its cluster',
    'elastic',
    {
      container: { id: 'a1b2c3d4e5f6', name: 'cart', image: { name: 'cart', tag: ['1'] } },
      orchestrator: {
        type: 'kubernetes',
        namespace: 'shop',
        cluster: { name: 'prod-us', id: 'c-1' },
        resource: { type: 'pod', name: 'cart-7f9c', ip: '10.1.2.3' },
      },
      kibana: { alert: { uuid: 'e-2', rule: { name: 'Drift' }, severity: 'low' } },
    },
    'kubernetes://prod-us/shop/cart-7f9c/cart',
    'e-2',
  ],
  [
    'Splunk, a saved search over fields of its own',
    'splunk',
    {
      sid: 'scheduler__admin__search__RMD51_at_1795428672_132',
      search_name: 'Shells',
      app: 'search',
      owner: 'admin',
      results_link: 'https://splunk.example:8000/app/search/@go?sid=scheduler__admin',
      result: { cluster: 'prod-eu', ...POD, _time: '1795428672', count: '8' },
    },
    WHOLE,
    'scheduler__admin__search__RMD51_at_1795428672_132',
  ],
  [
    'Splunk, a search without a name over fields of OpenTelemetry',
    'splunk',
    {
      sid: 'rt_1795428672.1',
      search_name: null,
      app: 'search',
      owner: 'admin',
      results_link: 'https://splunk.example:8000/app/search/@go?sid=rt_1795428672.1',
      result: {
        'k8s.cluster.name': 'prod-eu',
        'k8s.namespace.name': 'shop',
        'k8s.pod.name': 'cart-7f9c',
        'k8s.container.name': 'cart',
      },
    },
    WHOLE,
    'rt_1795428672.1',
  ],
  [
    'Sentinel, an incident whose rule has custom details: a text of JSON, each a list',
    'sentinel',
    {
      eventUniqueId: '3f2c',
      objectSchemaType: 'Incident',
      objectEventType: 'Create',
      workspaceInfo: { SubscriptionId: 's', ResourceGroupName: 'g', WorkspaceName: 'w' },
      object: {
        id: '/subscriptions/s/resourceGroups/g/providers/Microsoft.SecurityInsights/Incidents/i-1',
        name: 'i-1',
        etag: '"e"',
        type: 'Microsoft.SecurityInsights/Incidents',
        properties: {
          title: 'Shell',
          severity: 'High',
          status: 'New',
          incidentNumber: 7,
          incidentUrl: 'https://portal.example/i-1',
          alerts: [
            {
              kind: 'SecurityAlert',
              properties: {
                alertDisplayName: 'Shell',
                additionalData: {
                  'Custom Details':
                    '{"cluster":["prod-eu"],"namespace":["shop"],"pod":["cart-7f9c"],"container":["cart"]}',
                },
              },
            },
          ],
          relatedEntities: [],
        },
      },
    },
    WHOLE,
    'i-1',
  ],
  [
    'Sentinel, a playbook that adds the container beside the incident',
    'sentinel',
    {
      kubernetes: { cluster: 'prod-eu', ...POD },
      object: { name: 'i-2', properties: { title: 'Shell', incidentNumber: 8, severity: 'Low' } },
    },
    WHOLE,
    'i-2',
  ],
  [
    'Security Hub, a finding with fields of the user',
    'securityhub',
    {
      version: '0',
      'detail-type': 'Security Hub Findings - Imported',
      source: 'aws.securityhub',
      detail: {
        findings: [
          {
            SchemaVersion: '2018-10-08',
            Id: 'arn:aws:guardduty:eu-central-1:123456789012:detector/d/finding/h-1',
            ProductArn: 'arn:aws:securityhub:eu-central-1::product/aws/guardduty',
            ProductName: 'GuardDuty',
            Title: 'Execution in a pod',
            Types: ['TTPs/Execution/Execution:Kubernetes-ExecInKubeSystemPod'],
            Severity: { Label: 'HIGH', Normalized: 70, Product: 8 },
            ProductFields: { 'aws/guardduty/service/count': '1' },
            Resources: [{ Type: 'AwsEksCluster', Id: 'arn:aws:eks:x:cluster/prod-eu' }],
            UserDefinedFields: { ...POD },
          },
        ],
      },
    },
    WHOLE,
    'arn:aws:guardduty:eu-central-1:123456789012:detector/d/finding/h-1',
  ],
  [
    'GuardDuty, a finding about a pod of EKS',
    'guardduty',
    {
      version: '0',
      'detail-type': 'GuardDuty Finding',
      source: 'aws.guardduty',
      detail: {
        schemaVersion: '2.0',
        id: 'f2a5',
        type: 'Execution:Runtime/ReverseShell',
        title: 'A reverse shell was started in a container of the EKS cluster prod-eu.',
        severity: 8,
        resource: {
          resourceType: 'EKSCluster',
          eksClusterDetails: { name: 'prod-eu', status: 'ACTIVE', tags: [] },
          kubernetesDetails: {
            kubernetesUserDetails: { username: 'system:serviceaccount:shop:cart' },
            kubernetesWorkloadDetails: {
              name: 'cart-7f9c',
              type: 'pods',
              namespace: 'shop',
              hostNetwork: false,
              containers: [{ name: 'cart', image: 'registry.example/cart:1' }],
            },
          },
        },
        service: { serviceName: 'guardduty', resourceRole: 'TARGET' },
      },
    },
    WHOLE,
    'f2a5',
  ],
];
