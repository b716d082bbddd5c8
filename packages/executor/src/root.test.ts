// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectorRecord } from './collector/records.ts';
import { inTarget, seenBelow } from './root.ts';

const ROOT = '/proc/1/root';

const ASKED = [
  ['/app/config.json', '/proc/1/root/app/config.json'],
  ['/', '/proc/1/root/'],
  ['/proc/net/tcp', '/proc/net/tcp'],
  ['/sys', '/sys'],
  ['/process/list', '/proc/1/root/process/list'],
] as const;

for (const [path, seen] of ASKED) {
  test(`from beside the target ${path} is asked for as ${seen}`, () => {
    assert.equal(seenBelow(ROOT, path), seen);
    assert.equal(seenBelow('', path), path);
  });
}

const PATHS = [
  ['/proc/1/root/etc/passwd', '/etc/passwd'],
  ['/proc/1/root', '/'],
  ['/proc/7/exe', '/proc/7/exe'],
  ['/proc/1/rootkit', '/proc/1/rootkit'],
  ['/proc/1/root/proc/1/root/x', '/proc/1/root/x'],
] as const;

for (const [seen, path] of PATHS) {
  test(`a file seen at ${seen} is the target's ${path}`, () => {
    const record = { kind: 'file', path: Buffer.from(seen) } as CollectorRecord;
    const own = inTarget(record, ROOT);
    assert.equal(own.kind === 'file' && own.path.toString(), path);
    assert.equal(inTarget(record), record);
  });
}

const ITEMS = [
  ['home:/proc/1/root/root', 'home:/root'],
  ['root:/proc/1/root/', 'root:/'],
  ['/proc/1/root/etc/shadow', '/etc/shadow'],
  ['/srv/proc/1/root/odd', '/srv/proc/1/root/odd'],
  ['cron', 'cron'],
] as const;

for (const [seen, item] of ITEMS) {
  test(`coverage of ${seen} reads ${item}`, () => {
    const record = { kind: 'coverage', item: Buffer.from(seen) } as CollectorRecord;
    const own = inTarget(record, ROOT);
    assert.equal(own.kind === 'coverage' && own.item.toString(), item);
  });
}
