// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { azuriteServer } from '@impound/bucket/testing/store-servers.ts';
import { STORE_RIGHTS } from '@impound/contracts/store-permissions.ts';
import { cloudConformance } from './cloud-store.conformance.ts';
import { storeConformance } from './evidence-store.conformance.ts';
import { faultyProxy } from './faulty-proxy.ts';

const AZURE = 'Microsoft.Storage/storageAccounts/blobServices';
const NAME = 'Azure Blob (azurite)';
const ACCOUNT = { name: 'evidenceaccount', key: randomBytes(64).toString('base64') };

storeConformance(
  NAME,
  async (scope) => {
    const server = await azuriteServer(ACCOUNT, scope);
    const credential = new StorageSharedKeyCredential(ACCOUNT.name, ACCOUNT.key);
    const service = new BlobServiceClient(`${server}/${ACCOUNT.name}`, credential);
    const container = service.getContainerClient('evidence');
    await container.create();
    const proxy = await faultyProxy(server, scope);
    const endpoint = `${proxy.url}/${ACCOUNT.name}`;
    return {
      proxy,
      environment: {
        STORE_URL: `azblob://${ACCOUNT.name}/evidence/case?endpoint=${endpoint}`,
        STORE_KEY: ACCOUNT.key,
      },
      replace: async (key, bytes) => {
        const blob = container.getBlockBlobClient(`case/objects/${key}`);
        await blob.upload(Buffer.from(bytes), bytes.length);
      },
      forge: {
        at: `azblob://${ACCOUNT.name}/evidence/case?endpoint=${endpoint}`,
        by: 'etag',
        put: async ({ key, sha256 }, bytes) => {
          const blob = container.getBlockBlobClient(`case/objects/${key}`);
          await blob.upload(Buffer.from(bytes), bytes.length, { metadata: { sha256 } });
        },
      },
      nowhere: `azblob://${ACCOUNT.name}/nowhere?endpoint=${endpoint}`,
      unlocked: `azblob://${ACCOUNT.name}/evidence?endpoint=${endpoint}`,
      keepsVersions: false,
      knowsDigests: true,
      hashesWhole: false,
    };
  },
  cloudConformance(NAME, {
    verifiesSignatures: true,
    strangersKey: randomBytes(64).toString('base64'),
    rights: STORE_RIGHTS['azure-blob'],
    needs: [
      [/^(GET|HEAD) .*restype(?!.*comp)/, `${AZURE}/containers/read`],
      [/^DELETE /, `${AZURE}/containers/blobs/delete`],
      [/^PUT /, `${AZURE}/containers/blobs/write`],
      [/^(GET|HEAD) /, `${AZURE}/containers/blobs/read`],
    ],
  }),
);
