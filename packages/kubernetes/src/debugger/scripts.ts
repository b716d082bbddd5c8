// SPDX-License-Identifier: Apache-2.0

/**
 * Main process of a debugger: waits so many seconds, until nobody has worked beside it for $2
 * seconds, or until it is told to end: an executor that died cannot tell it. Who works beside it
 * has its mount namespace. Its PID may be 1 or any other, it writes to no file, for /dev/shm
 * belongs to the whole pod, and it buries its child, for PID 1 of the target might not.
 */
const MAIN = `trap 'kill $!; wait; exit 0' TERM
left=$1 idle=0
while [ "$left" -gt 0 ] && [ "$idle" -lt "$2" ]; do
  step=$3; [ "$left" -lt "$step" ] && step=$left
  sleep "$step" & wait
  left=$((left - step)) idle=$((idle + step))
  for p in /proc/[0-9]*; do
    [ "$p" -ef /proc/self ] && continue
    [ "$p/ns/mnt" -ef /proc/self/ns/mnt ] && idle=0
  done
done`;

/** As long as an epoch outlives its silent holder. */
const IDLE_SECONDS = 30;
const STEP_SECONDS = 5;

/** The command of a debugger that ends by itself, the sooner the fewer have work for it. */
export function mainCommand(
  seconds: number,
  idleSeconds = IDLE_SECONDS,
  stepSeconds = STEP_SECONDS,
): readonly string[] {
  return ['sh', '-c', MAIN, 'impound', ...[seconds, idleSeconds, stepSeconds].map(String)];
}

/**
 * Finds the target's process and tells whether its root can be listed, which is the only honest
 * test: other parts of /proc are open to those who cannot read it. $1 is where proc is, $2 the
 * container's id where the process namespace is not the target's own; then PID 1 is another.
 */
export const PROBE = `
t=1
if [ "$2" ]; then
  t=''
  for s in "$1"/[0-9]*/cgroup; do
    case $(cat "$s" 2>/dev/null) in *"$2"*) ;; *) continue ;; esac
    p=\${s%/cgroup} p=\${p##*/}
    if [ -z "$t" ] || [ "$p" -lt "$t" ]; then t=$p; fi
  done
fi
u=- g=- c=-
[ -z "$t" ] || while read -r k v _; do
  case $k in Uid:) u=$v ;; Gid:) g=$v ;; CapPrm:) c=$v ;; esac
done <"$1/$t/status"
if [ -z "$t" ]; then w=absent
elif [ "$(readlink "$1/$t/ns/mnt")" = "$(readlink "$1/self/ns/mnt")" ]; then w=own
elif ls "$1/$t/root/" >/dev/null 2>&1; then w=readable
else w=unreadable; fi
echo "$w \${t:--} $u $g $c"
`;

/** Ends every process of the debugger but this one: those in its own mount namespace. */
export const END = `
own=$(readlink /proc/self/ns/mnt)
[ "$own" ] || exit 1
for p in /proc/[0-9]*; do
  n=\${p#/proc/}
  [ "$n" != $$ ] && [ "$(readlink "$p/ns/mnt" 2>/dev/null)" = "$own" ] && kill -TERM "$n"
done
exit 0
`;

/** What the probe saw. The ids are absent where the kernel did not tell. */
export interface Seen {
  /** `own`: the process namespace was not joined. `absent`: no process has the container's id. */
  readonly verdict: 'readable' | 'unreadable' | 'own' | 'absent';
  readonly pid: number;
  readonly ids?:
    | { readonly user: number; readonly group: number; readonly capabilities: bigint }
    | undefined;
}

const LINE =
  /^(readable|unreadable|own|absent) (\d{1,10}|-) (\d{1,10}|-) (\d{1,10}|-) (\w{1,32}|-)$/;

/** Reads the probe's line; undefined for anything else. */
export function readProbe(text: string): Seen | undefined {
  const [, verdict, pid, user, group, mask = '-'] = LINE.exec(text.trim()) ?? [];
  if (verdict === undefined) return undefined;
  const told = user !== '-' && group !== '-' && /^[0-9a-f]+$/.test(mask);
  return {
    verdict: verdict as Seen['verdict'],
    pid: pid === '-' ? 0 : Number(pid),
    ids: told
      ? { user: Number(user), group: Number(group), capabilities: BigInt(`0x${mask}`) }
      : undefined,
  };
}
