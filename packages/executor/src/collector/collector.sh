# SPDX-License-Identifier: Apache-2.0
# What is taken and in which order. The last line runs it, after the whole text has been parsed.
# shellcheck shell=sh disable=SC2086,SC2154

mounts() { # MOUNTS: all below ROOT; LOCAL: those to walk; OTHER: "type path" of the rest
  MOUNTS=$NL LOCAL='' OTHER='' ATIME=unknown f=/proc/self/mountinfo
  case $ROOT in /proc/*/root) f=${ROOT%/root}/mountinfo b=$ROOT ;; *) b='' ;; esac
  [ -r "$f" ] || { cover denied permission "$f"; return 0; }
  while read -r _ _ _ _ mp rest; do
    case $mp in *\\*) mp=$(printf %b. "$mp") mp=${mp%.} ;; esac
    fs=${rest#* - } fs=${fs%% *}
    if [ "$mp" = / ]; then
      ATIME=strict
      case $rest in *noatime*) ATIME=noatime ;; *relatime*) ATIME=relatime ;; esac
      continue
    fi
    MOUNTS="$MOUNTS$b$mp$NL"
    case $mp in /proc | /proc/* | /sys | /sys/*) continue ;; esac
    case $fs in
      ext[234] | xfs | btrfs | overlay | aufs | tmpfs | ramfs | zfs | f2fs | erofs | squashfs)
        LOCAL="$LOCAL$b$mp$NL" ;;
      *[!A-Za-z0-9._-]* | ????????????????????????*) OTHER="${OTHER}odd $b$mp$NL" ;;
      *) OTHER="$OTHER$fs $b$mp$NL" ;;
    esac
  done <"$f"
}

walk() { # queues a directory and all below it, level by level: no depth is too deep for a shell
  quote "$1"; NEXT=$QUOTED
  while [ "$NEXT" ]; do
    eval "set -- $NEXT"; NEXT='' SOME='' SOMEN=0
    for d do level "$d"; done
    NEXT="$NEXT$SOME"
  done
}

level() { # one directory; never enters a mount point or a symbolic link
  queue "${1:-/}"
  if [ "$OVER" ]; then I_BAD=$((I_BAD + 1)) WHY=$OVER; return 0; fi
  if [ ${#1} -gt 3839 ]; then I_BAD=$((I_BAD + 1)) WHY=path-length; fi
  if [ ! -r "${1:-/}" ] || [ ! -x "${1:-/}" ]; then
    I_BAD=$((I_BAD + 1)) REFUSED=$((REFUSED + 1)) WHY=permission; return 0
  fi
  set -- "$1"/* "$1"/.[!.]* "$1"/..?*
  for w do
    case $MOUNTS$DONE in *"$NL$w$NL"*) continue ;; esac
    if [ -h "$w" ]; then queue "$w"
    elif [ -d "$w" ]; then
      quote "$w"; SOME="$SOME $QUOTED" SOMEN=$((SOMEN + 1))
      [ $((SOMEN % 64)) != 0 ] || { NEXT="$NEXT$SOME"; SOME=''; }
    elif [ -e "$w" ]; then queue "$w"; fi
  done
}

tree() { # a directory and the local mounts below it
  walk "$1"
  IFS=$NL; set -f
  for x in $LOCAL; do
    IFS=' 	'$NL; set +f
    case $x in "$1"/*) if [ -d "$x" ]; then walk "$x"; else queue "$x"; fi ;; esac
  done
  for x in $OTHER; do
    case ${x#* } in "$1"/*) I_BAD=$((I_BAD + 1)) WHY=file-system-${x%% *} ;; esac
  done
  IFS=' 	'$NL; set +f
}

behind_link() { # is a parent of $2, below $1, a symbolic link
  y=$2
  while y=${y%/*}; [ ${#y} -gt ${#1} ]; do [ -h "$y" ] && return 0; done
  return 1
}

hidden() { # is something that cannot be searched above $1
  y=$1
  while y=${y%/*}; [ "$y" ]; do [ -e "$y" ] && { [ ! -x "$y" ]; return; }; done
  return 1
}

item() { # $1 name, then paths: takes files and trees and says how it went
  name=$1; shift
  I_FILES=0 I_BYTES=0 I_BAD=0 WHY=- seen='' linked=''
  for z do
    if behind_link "$BASE" "$z"; then linked=1; continue; fi
    if [ -h "$z" ] || [ -e "$z" ]; then
      seen=1
      if [ -d "$z" ] && [ ! -h "$z" ]; then tree "${z%/}"; else queue "$z"; fi
    elif hidden "$z"; then seen=1 I_BAD=$((I_BAD + 1)) WHY=permission; fi
  done
  flush; pack
  if [ -z "$seen" ]; then
    if [ "$linked" ]; then cover absent behind-link "$name"
    else cover absent not-found "$name"; fi
  elif [ $I_BAD = 0 ]; then
    cover got - "$name" $I_FILES $I_BYTES
    [ "$PROFILE" = full ] && [ -z "$FILTER" ] && for z do DONE="$DONE$z$NL"; done
  elif [ $I_FILES -le $I_BAD ] && [ $I_BYTES = 0 ] && [ "$WHY" = permission ]; then
    cover denied permission "$name" $I_FILES 0
  else cover partial "$WHY" "$name" $I_FILES $I_BYTES; fi
}

each() { for one_path do item "$one_path" "$one_path"; done; }

asked() { # the paths asked for by name; what lies on a network is taken as well
  eval "set -- $ITEMS"
  for ask do
    case $ask in
      /proc/*/root) BASE=$ask; each "$ask/" ;;
      /proc/*/root/*) BASE=${ask#/proc/} BASE=/proc/${BASE%%/*}/root; each "$ask" ;;
      /proc/* | /sys/*) if [ -d "$ask" ]; then cover denied pseudo-file-system "$ask"
        else pseudo "$ask"; fi ;;
      *) BASE=$ask; each "$ask" ;;
    esac
  done
}

lines() { # grep -H '' where there is no grep
  if has grep; then grep -aH '' "$@"; return; fi
  for f do while IFS= read -r l; do printf '%s:%s\n' "$f" "$l"; done <"$f"; done
}
cmdlines() { for p in /proc/[0-9]*; do echo "$p:"; $B64 <"$p/cmdline"; echo; done; }
names() { # variable names; values never leave, newlines within them neither
  for p in /proc/[0-9]*; do
    echo "$p:"
    tr '\n\0' '\001\n' <"$p/environ" | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p'
  done
}
links() {
  for p in /proc/[0-9]*; do
    ls -d $LSB "$p"/exe "$p"/cwd "$p"/root "$p"/ns/*
    echo "$p/fd:"; ls $LSB "$p/fd/"
  done
}

volatile() {
  text clock "$(date '+date=%s %z')${NL}uptime=$(cat /proc/uptime)$NL"
  table process/stat lines /proc/[0-9]*/stat
  pseudo /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 /proc/net/unix
  table process/status lines /proc/[0-9]*/status
  if has base64; then B64=base64 B=base64; elif has od; then B64='od -An -v -tx1' B=hex
  else B64="tr \\000 \\040" B=spaced; fi
  table process/cmdline.$B cmdlines
  table process/cgroup lines /proc/[0-9]*/cgroup
  table process/links links
  LINKS=$V
  table process/maps lines /proc/[0-9]*/maps
  table process/environ-names names
  for k in raw raw6 packet netlink icmp icmp6 route ipv6_route arp dev if_inet6 fib_trie; do
    pseudo /proc/net/$k
  done
  for k in status cgroup mountinfo limits uid_map attr/current; do pseudo /proc/self/$k; done
  for k in osrelease hostname random/boot_id tainted core_pattern yama/ptrace_scope \
    unprivileged_bpf_disabled; do pseudo /proc/sys/kernel/$k; done
  pseudo /proc/mounts /proc/version /proc/cmdline /proc/modules /proc/meminfo /proc/loadavg
  pseudo /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory.current
}

deleted() { # executables and files that are open but no longer have a name
  I_FILES=0 I_BYTES=0 I_BAD=0 WHY=- IFS=$NL; set -f
  for l in $LINKS; do
    IFS=' 	'$NL
    case $l in
      /proc/*/fd:) dir=${l%:} ;;
      *' -> '*' (deleted)' | *' -> /memfd:'*)
        l=${l%% -> *} l=${l##* }
        case $l in /*) ;; *) l=$dir/$l ;; esac
        t=$(readlink -n "$l"; printf .) t=${t%.}
        if [ -f "$l" ] && x=$(stat -Lc "$FIRST $REST" "$l"); then alone "$l" "$x" "$t"; fi ;;
    esac
  done
  IFS=' 	'$NL; set +f
  if [ $I_BAD = 0 ]; then cover got - open-deleted $I_FILES $I_BYTES
  else cover partial "$WHY" open-deleted $I_FILES $I_BYTES; fi
}

since() { # SINCE: when process 1 started
  [ -z "$SINCE" ] || return 0
  SINCE=0
  while read -r k v _; do [ "$k" = btime ] && SINCE=$v; done </proc/stat
  l=''; read -r l </proc/1/stat
  set -- ${l##*) }; SINCE=$((SINCE + ${20:-0} / 100))
}

homes() {
  HOMES=$NL$ROOT/root$NL
  for h in "$ROOT"/home/*; do HOMES="$HOMES$h$NL"; done
  [ -r "$ROOT/etc/passwd" ] && while IFS=: read -r _ _ _ _ _ h _; do
    case $h in / | '' | [!/]*) continue ;; esac
    case $HOMES in *"$NL$ROOT$h$NL"*) ;; *) HOMES="$HOMES$ROOT$h$NL" ;; esac
  done <"$ROOT/etc/passwd"
  IFS=$NL; set -f
  for h in $HOMES; do
    IFS=' 	'$NL; set +f
    [ -d "$h" ] || continue
    item "home:$h" "$h"/.*history "$h"/.*_history "$h"/.bashrc "$h"/.bash_[lp]* "$h"/.bash_aliases \
      "$h"/.profile "$h"/.z[sp]* "$h"/.zlog* "$h"/.kshrc "$h"/.mkshrc "$h"/.viminfo "$h"/.lesshst \
      "$h"/.wget-hsts "$h"/.gitconfig "$h"/.local/share/fish/fish_history "$h"/.ssh \
      "$h"/.config/fish/config.fish "$h"/.config/autostart "$h"/.config/systemd
  done
  IFS=' 	'$NL; set +f
}

triage() {
  BASE=$ROOT; deleted
  for k in passwd group shadow gshadow sudoers sudoers.d login.defs subuid subgid os-release hosts \
    hostname resolv.conf nsswitch.conf ld.so.preload ld.so.conf ld.so.conf.d profile profile.d \
    environment crontab anacrontab inittab init.d pam.d ssh update-motd.d xdg/autostart podinfo
  do each "$ROOT/etc/$k"; done
  homes
  item cron "$ROOT"/etc/cron* "$ROOT"/var/spool/cron* "$ROOT"/var/spool/at* "$ROOT"/etc/periodic
  item systemd "$ROOT"/etc/systemd "$ROOT"/run/systemd/system "$ROOT"/run/systemd/transient \
    "$ROOT"/lib/systemd/system "$ROOT"/usr/lib/systemd/system "$ROOT"/usr/local/lib/systemd
  item boot "$ROOT"/etc/rc* "$ROOT"/etc/udev "$ROOT"/etc/polkit-1 "$ROOT"/etc/apt/apt.conf.d
  each "$ROOT/run/secrets" "$ROOT/var/run/secrets" "$ROOT/dev/termination-log"
  item runtime-sockets "$ROOT"/run/*.sock "$ROOT"/run/containerd/*.sock "$ROOT"/run/crio/*.sock \
    "$ROOT"/var/run/*.sock
  CAP=$DROP_BYTES_MAX; each "$ROOT/tmp" "$ROOT/var/tmp" "$ROOT/dev/shm" "$ROOT/run/shm"
  CAP=$LOG_BYTES_MAX TAIL=1
  each "$ROOT/run/utmp" "$ROOT/var/run/utmp" "$ROOT/var/adm" "$ROOT/var/log" "$ROOT/run/log"
  CAP=$FILE_BYTES_MAX TAIL=''
  item packages "$ROOT"/var/lib/dpkg/status "$ROOT"/lib/apk/db/installed "$ROOT"/etc/apk/world \
    "$ROOT"/var/lib/rpm "$ROOT"/usr/lib/sysimage/rpm
  since; FILTER=web
  item web-changes "$ROOT"/var/www "$ROOT"/usr/share/nginx "$ROOT"/srv "$ROOT"/app \
    "$ROOT"/opt "$ROOT"/usr/local/tomcat "$ROOT"/usr/src/app "$ROOT"/var/lib/tomcat*
  FILTER=''
}

main() {
  setup
  LEADER=''; read -r l </proc/self/stat; set -- ${l##*) }; [ "$3" = $$ ] && LEADER=1
  watchdog <&3 3<&- 5>&- 9>&- &
  W=$!; exec 3<&-
  out "IMPOUND-COLLECTOR 1$NL"
  put open "profile=$PROFILE pid=$$ watchdog=$W uid=$MYUID gid=$MYGID time=$(date +%s) \
uptime=$NOW digest=${STREAM_HASH%% *} missing=${MISSING:--}" ''
  mounts
  volatile
  BASE=''; asked
  case $PROFILE in triage | full) triage ;; esac
  [ "$PROFILE" != full ] || { BASE=$ROOT; item "root:$ROOT/" "$ROOT/"; }
  read -r _ _ _ _ LAST_PID </proc/loadavg
  now
  put footprint "pid=$$ watchdog=$W started=$STARTED firstpid=$FIRST_PID lastpid=$LAST_PID \
read=$READ written=0 atime=$ATIME seconds=$((NOW - BEGAN))" ''
  s=complete; [ -z "$OVER$LIMITED" ] || s=partial
  sleep "$ACK_SECONDS" 5>&- 9>&- &
  T=$!; trap 'kill $T' USR1
  put trailer "records=$SEQ files=$FILES bytes=$BYTES refused=$REFUSED state=$s" ''
  out "IMPOUND-END $SEQ$NL"
  wait $T
  kill $T $W
  wait $T $W # PID 1 of the target might not bury them
  return 0
}

main; exit $?
