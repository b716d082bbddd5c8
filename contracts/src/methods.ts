// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { openWords } from './ids.ts';

/** The ways to get at a container's data, each tried by one executor. */
export const Method = z.enum([
  'exec-direct',
  'exec-stream',
  'ephemeral-container',
  'run-command',
  'node-volume',
  'checkpoint',
  'manual-script',
]);
export type Method = z.output<typeof Method>;

/** A service that touches targets; also the route of an assignment. */
export const Executor = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/);

/** What the collector gathers; `docs/spec/collector-stream.md` lists it. */
export const Profile = z.enum(['volatile', 'triage', 'full']);
export type Profile = z.output<typeof Profile>;

/** Whether a method can work: denied only where a refusal is certain. */
export const Verdict = openWords(['allowed', 'denied']);
export type Verdict = z.output<typeof Verdict>;
