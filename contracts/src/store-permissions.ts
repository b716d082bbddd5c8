// SPDX-License-Identifier: Apache-2.0

/** One right at an object store, in the words of its cloud. */
export interface StoreRight {
  readonly action: string;
  /** The bucket or container, all objects under the prefix, or those under sessions/ alone. */
  readonly on: 'bucket' | 'objects' | 'sessions' | 'account';
  readonly why: string;
}

const AZURE = 'Microsoft.Storage/storageAccounts/blobServices';

/** What the uploader needs at each kind of object store: it never asks for more. */
export const STORE_RIGHTS = {
  s3: [
    { action: 's3:ListBucket', on: 'bucket', why: 'look whether the bucket is there' },
    { action: 's3:GetBucketVersioning', on: 'bucket', why: 'look whether it keeps versions' },
    { action: 's3:GetBucketObjectLockConfiguration', on: 'bucket', why: 'look whether it locks' },
    { action: 's3:GetBucketPublicAccessBlock', on: 'bucket', why: 'look whether it is private' },
    { action: 's3:ListBucketVersions', on: 'bucket', why: 'find the first version of an object' },
    { action: 's3:ListBucketMultipartUploads', on: 'bucket', why: 'find an upload again' },
    { action: 's3:ListMultipartUploadParts', on: 'objects', why: 'tell what an upload holds' },
    { action: 's3:AbortMultipartUpload', on: 'objects', why: 'drop what nobody completes' },
    { action: 's3:PutObject', on: 'objects', why: 'take parts and make objects of them' },
    { action: 's3:GetObject', on: 'objects', why: 'read notes' },
    { action: 's3:GetObjectVersion', on: 'objects', why: 'read evidence back and hand it out' },
    { action: 's3:GetObjectRetention', on: 'objects', why: 'tell how an object is locked' },
    { action: 's3:PutObjectRetention', on: 'objects', why: 'lock what was verified' },
  ],
  'azure-blob': [
    { action: `${AZURE}/containers/read`, on: 'bucket', why: 'look what the container is like' },
    { action: `${AZURE}/generateUserDelegationKey/action`, on: 'account', why: 'sign URLs' },
    { action: `${AZURE}/containers/blobs/read`, on: 'objects', why: 'list and read blobs' },
    { action: `${AZURE}/containers/blobs/write`, on: 'objects', why: 'make and lock blobs' },
    { action: `${AZURE}/containers/blobs/delete`, on: 'sessions', why: 'remove joined parts' },
  ],
  gcs: [
    { action: 'storage.buckets.get', on: 'bucket', why: 'look what the bucket is like' },
    { action: 'storage.objects.list', on: 'objects', why: 'find an upload again' },
    { action: 'storage.objects.get', on: 'objects', why: 'read evidence back and hand it out' },
    { action: 'storage.objects.create', on: 'objects', why: 'take parts and join them' },
    { action: 'storage.objects.update', on: 'objects', why: 'lock what was verified' },
    { action: 'storage.objects.setRetention', on: 'objects', why: 'lock what was verified' },
    { action: 'storage.objects.delete', on: 'sessions', why: 'remove joined parts' },
    { action: 'iam.serviceAccounts.signBlob', on: 'account', why: 'sign URLs without a key' },
  ],
} as const satisfies Record<string, readonly StoreRight[]>;
