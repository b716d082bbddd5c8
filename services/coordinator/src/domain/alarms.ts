// SPDX-License-Identifier: Apache-2.0

interface Alarm {
  readonly name: string;
  readonly atMs: number;
}

/** One moment per name, in the order of time: a binary heap whose outdated places are skipped. */
export interface Alarms {
  /** Sets or moves the moment of a name; undefined takes it away. */
  set(name: string, atMs: number | undefined): void;
  /** The earliest moment; undefined: there is none. */
  nextMs(): number | undefined;
  /** Takes out every name whose moment has come, earliest first. */
  due(nowMs: number): readonly string[];
}

/** An empty set of alarms. Setting and taking cost the logarithm of their number. */
export function alarms(): Alarms {
  const moments = new Map<string, number>();
  const heap: Alarm[] = [];
  const first = (): Alarm | undefined => {
    while (heap[0] && moments.get(heap[0].name) !== heap[0].atMs) pop(heap);
    return heap[0];
  };
  return {
    set: (name, atMs) => {
      if (moments.get(name) === atMs) return;
      if (atMs === undefined) moments.delete(name);
      else {
        moments.set(name, atMs);
        push(heap, { name, atMs });
        if (heap.length > OUTDATED_RATIO_MAX * (moments.size + 1)) rebuild(heap, moments);
      }
    },
    nextMs: () => first()?.atMs,
    due: (nowMs) => {
      const names: string[] = [];
      for (let next = first(); next && next.atMs <= nowMs; next = first()) {
        moments.delete(next.name);
        names.push(next.name);
      }
      return names;
    },
  };
}

const OUTDATED_RATIO_MAX = 4;

/** Without the outdated places; an ordered array is a heap. */
function rebuild(heap: Alarm[], moments: ReadonlyMap<string, number>): void {
  const current = [...moments].map(([name, atMs]) => ({ name, atMs }));
  current.sort((a, b) => a.atMs - b.atMs);
  heap.length = 0;
  for (const alarm of current) heap.push(alarm);
}

function push(heap: Alarm[], alarm: Alarm): void {
  let place = heap.push(alarm) - 1;
  while (place > 0) {
    const parent = (place - 1) >> 1;
    if (at(heap, parent) <= alarm.atMs) break;
    heap[place] = heap[parent] as Alarm;
    place = parent;
  }
  heap[place] = alarm;
}

function pop(heap: Alarm[]): void {
  const moved = heap.pop();
  if (moved === undefined || heap.length === 0) return;
  let place = 0;
  for (;;) {
    const left = 2 * place + 1;
    const child = at(heap, left + 1) < at(heap, left) ? left + 1 : left;
    if (at(heap, child) >= moved.atMs) break;
    heap[place] = heap[child] as Alarm;
    place = child;
  }
  heap[place] = moved;
}

function at(heap: readonly Alarm[], place: number): number {
  return heap[place]?.atMs ?? Number.POSITIVE_INFINITY;
}
