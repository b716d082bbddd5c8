// SPDX-License-Identifier: Apache-2.0
// The health check of an image: ends with 0 where the service beside it is ready.
const url = `http://127.0.0.1:${process.env['HEALTH_PORT']}/readyz`;
const answer = await fetch(url, { signal: AbortSignal.timeout(4_000) }).catch(() => undefined);
process.exitCode = answer?.ok === true ? 0 : 1;
