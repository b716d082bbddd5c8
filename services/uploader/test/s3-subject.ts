// SPDX-License-Identifier: Apache-2.0
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { faultyProxy } from './faulty-proxy.ts';
import type { Subject } from './store-bench.ts';

export const S3_KEY = {
  id: 'AKIAIOSFODNN7EXAMPLE',
  secret: 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY',
};

const HOUR_MS = 3_600_000;
const PREFIX = 'case/';

/** A bucket with Object Lock on a server, behind a proxy. */
export async function s3Subject(
  server: string,
  scope: AsyncDisposableStack,
  { checksums, by }: { readonly checksums: boolean; readonly by: string },
): Promise<Subject & { readonly client: S3Client }> {
  const client = new S3Client({
    endpoint: server,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: S3_KEY.id, secretAccessKey: S3_KEY.secret },
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  scope.defer(() => client.destroy());
  const Bucket = 'evidence';
  await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
  await client.send(new CreateBucketCommand({ Bucket: 'unlocked' }));
  await client.send(
    new PutBucketVersioningCommand({
      Bucket: 'unlocked',
      VersioningConfiguration: { Status: 'Enabled' },
    }),
  );
  await client.send(new CreateBucketCommand({ Bucket: 'plain' }));
  const proxy = await faultyProxy(server, scope);
  proxy.checksums = checksums;
  return {
    client,
    proxy,
    environment: {
      STORE_URL: `s3://${Bucket}/${PREFIX}?endpoint=${proxy.url}`,
      STORE_KEY: `${S3_KEY.id}:${S3_KEY.secret}`,
    },
    replace: async (key, bytes) => {
      await client.send(
        new PutObjectCommand({ Bucket, Key: `${PREFIX}objects/${key}`, Body: bytes }),
      );
    },
    forge: {
      at: `s3://plain/${PREFIX}?endpoint=${proxy.url}`,
      by,
      put: async ({ key }, bytes) => {
        const of = { Bucket: 'plain', Key: `${PREFIX}objects/${key}` };
        await client.send(new PutObjectCommand({ ...of, Body: bytes }));
      },
    },
    remove: async (key, VersionId) => {
      const Key = `${PREFIX}objects/${key}`;
      await client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
    },
    shorten: async (key, VersionId) => {
      const RetainUntilDate = new Date(Date.now() + HOUR_MS);
      await client.send(
        new PutObjectRetentionCommand({
          ...{ Bucket, Key: `${PREFIX}objects/${key}`, VersionId },
          Retention: { Mode: 'GOVERNANCE', RetainUntilDate },
          BypassGovernanceRetention: true,
        }),
      );
    },
    nowhere: `s3://nowhere/?endpoint=${proxy.url}`,
    unlocked: `s3://unlocked/?endpoint=${proxy.url}`,
    keepsVersions: true,
    knowsDigests: checksums,
    hashesWhole: false,
  };
}

/** The keys of all uploads in a bucket that nobody has completed or dropped. */
export async function unfinishedIn(client: S3Client, Bucket: string): Promise<readonly string[]> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
  return Uploads.map(({ Key = '' }) => Key);
}

/** What each request needs, by method and query. */
export const S3_NEEDS: readonly (readonly [RegExp, string])[] = [
  [/^HEAD \/[^/]+\/\?$/, 's3:ListBucket'],
  [/^GET .*\?versioning/, 's3:GetBucketVersioning'],
  [/^GET .*\?object-lock/, 's3:GetBucketObjectLockConfiguration'],
  [/^GET .*\?publicAccessBlock/, 's3:GetBucketPublicAccessBlock'],
  [/^GET .*[?&]versions/, 's3:ListBucketVersions'],
  [/^GET .*[?&]uploads/, 's3:ListBucketMultipartUploads'],
  [/^GET .*[?&]uploadId/, 's3:ListMultipartUploadParts'],
  [/^DELETE .*[?&]uploadId/, 's3:AbortMultipartUpload'],
  [/^PUT .*\?retention/, 's3:PutObjectRetention'],
  [/^(PUT|POST) /, 's3:PutObject'],
  [/^GET .*versionId/, 's3:GetObjectVersion'],
  [/^GET /, 's3:GetObject'],
  [/^HEAD .*versionId/, 's3:GetObjectVersion'],
  [/^HEAD /, 's3:GetObject'],
];
