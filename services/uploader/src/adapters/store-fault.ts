// SPDX-License-Identifier: Apache-2.0
import { StoreFault } from '../domain/evidence-store.ts';

/** What an SDK tells of a request that failed, whatever it calls it. */
export interface Failure {
  /** The HTTP status, where there was an answer. */
  readonly status: number | undefined;
  /** The store's own code, e.g. AccessDenied, or the system's, e.g. ECONNREFUSED. */
  readonly code: string;
}

const FULL = /quota|insufficientstorage|storagefull|accountisfull|limitexceeded/i;
const SKEWED = /skew|RequestExpired|AuthenticationFailed.*Date/i;

/**
 * Says in our words why a store does not do what it is asked; `doing` completes "the store refuses
 * to". Messages of SDKs are not repeated: some hold signed URLs.
 */
export function storeFault(doing: string, failure: Failure, cause: unknown): StoreFault {
  const { status, code } = failure;
  const told = [status, code].filter(Boolean).join(' ') || 'no answer';
  const options = { cause };
  if (status === 507 || FULL.test(code)) {
    const message = `the object store is full (${told}): make room, then send this again`;
    return new StoreFault('store-full', message, options);
  }
  if (SKEWED.test(code)) {
    const message = `the clock differs from the store's (${told}): set this machine's clock`;
    return new StoreFault('store-refused', message, options);
  }
  if (status === 401 || status === 403) {
    const message = `the store refuses to ${doing} (${told}): check STORE_KEY and deploy/iam`;
    return new StoreFault('store-refused', message, options);
  }
  if (status === 404 || status === 400 || status === 501 || status === 405) {
    const message = `the store cannot ${doing} (${told}): check STORE_URL with impound doctor`;
    return new StoreFault('store-refused', message, options);
  }
  const message = `the store did not ${doing} (${told}): check the way to it; send this again`;
  return new StoreFault('store-away', message, options);
}
