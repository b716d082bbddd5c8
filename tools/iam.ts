// SPDX-License-Identifier: Apache-2.0
import { STORE_RIGHTS, type StoreRight } from '@impound/contracts/store-permissions.ts';

/** The roles of deploy/iam by file name: what the uploader needs at each store, no more. */
export function iamFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['s3-policy.json', json(s3Policy())],
    ['azure-role.json', json(azureRole())],
    ['gcp-role.yaml', gcpRole()],
  ]);
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function actions(rights: readonly StoreRight[], ...on: readonly StoreRight['on'][]): string[] {
  return rights.filter((right) => on.includes(right.on)).map(({ action }) => action);
}

function s3Policy(): object {
  const bucket = 'arn:aws:s3:::BUCKET';
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'Bucket',
        Effect: 'Allow',
        Action: actions(STORE_RIGHTS.s3, 'bucket'),
        Resource: bucket,
      },
      {
        Sid: 'Objects',
        Effect: 'Allow',
        Action: actions(STORE_RIGHTS.s3, 'objects'),
        Resource: `${bucket}/PREFIX/*`,
      },
    ],
  };
}

function azureRole(): object {
  const rights = STORE_RIGHTS['azure-blob'];
  return {
    Name: 'impound uploader',
    IsCustom: true,
    Description:
      'Limit blobs/delete to paths under PREFIX/sessions/ by a condition of the assignment.',
    Actions: actions(rights, 'bucket', 'account'),
    NotActions: [],
    DataActions: actions(rights, 'objects', 'sessions'),
    NotDataActions: [],
    AssignableScopes: ['/subscriptions/SUBSCRIPTION/resourceGroups/GROUP'],
  };
}

function gcpRole(): string {
  const rights = STORE_RIGHTS.gcs.map(({ action, why }) => `  - ${action} # ${why}`);
  return [
    'title: impound uploader',
    'description: Bind storage.objects.delete with a condition on objects under PREFIX/sessions/.',
    'stage: GA',
    'includedPermissions:',
    ...rights,
    '',
  ].join('\n');
}
