#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Reads evidence inside a container and writes one framed stream: docs/spec/collector-stream.md.
# Needs a POSIX shell; writes to no file system; every other tool is probed. Set in front of it:
# PROFILE ROOT ITEMS SINCE BYTES_MAX SECONDS_MAX FILE_BYTES_MAX DROP_BYTES_MAX LOG_BYTES_MAX
# ACK_SECONDS TOOLS. Descriptors: 4 hash pipe, 5 the stream, 6 a capture, 8 the file being read,
# 9 stderr, kept open.
# shellcheck shell=sh disable=SC2086,SC2094,SC2119,SC2120,SC2154,SC2317

has() { command -v "$1" >/dev/null 2>&1; }
out() { printf %s "$1" >&5 || exit 1; }
put() { SEQ=$((SEQ + 1)) LAST=$NOW; out "$1 seq=$SEQ $2$NL$3"; }
now() { { read -r NOW _ </proc/uptime; } 2>/dev/null || NOW=$(date +%s); NOW=${NOW%.*}; }

setup() {
  LC_ALL=C NL='
'
  PATH=${TOOLS:+$TOOLS:}/bin:/usr/bin:/sbin:/usr/sbin:/busybox:$PATH IFS=' 	'$NL
  export LC_ALL PATH
  # 9 keeps stderr open: containerd takes stdin away once stdout or stderr has no writer left.
  exec 3<&0 5>&1 9>&2 0</dev/null 1>/dev/null 2>&1
  SEQ=0 LAST=0 FILES=0 BYTES=0 REFUSED=0 STARTED=11 READ=0 OVER='' LIMITED='' DONE=$NL MISSING=''
  SENT=0 Q='' QN=0 FILTER='' CAP=$FILE_BYTES_MAX TAIL='' TEXT_BYTES_MAX=8388608
  PACK_FILES_MAX=256 PACK_BYTES_MAX=4194304 SMALL_BYTES_MAX=262144 BLOCK=65536
  pack_clear
  for t in cat head tee dd stat readlink tr sed grep ls base64 sha256sum; do
    has "$t" || MISSING="$MISSING,$t"
  done
  MISSING=${MISSING#,}
  PACK=1 STAT='' FDPOS='' HASH=- LSB=-lnb FDS=/dev/fd
  for t in cat head tee; do has "$t" || PACK=''; done
  [ -d /dev/fd ] || FDS=/proc/self/fd
  ls -lnb / || LSB=-ln
  k=''; read -r k _ </proc/self/fdinfo/0
  if [ "$k" = pos: ] && has dd; then FDPOS=1; fi
  if has sha256sum; then HASH=sha256sum
  elif has openssl; then HASH='openssl dgst -sha256 -r'
  elif has shasum; then HASH='shasum -a 256'; fi
  STREAM_HASH=$HASH
  # Of large contents openssl makes a digest several times as fast as most sha256sum do.
  if has openssl; then
    case $(printf x | openssl dgst -sha256 -r) in
      2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881' '*)
        STREAM_HASH='openssl dgst -sha256 -r' ;;
    esac
  fi
  [ "$(printf x | { tee "$FDS/4" >/dev/null; } 4>&1 | cat)" = x ] || STREAM_HASH=-
  case $(stat -c %f / 2>&1) in 4???) STAT=1 ;; esac
  case $(stat -c %.9Y / 2>&1) in *.?????????) S=.9 ;; *) S='' ;; esac
  REST="mode=%f uid=%u gid=%g mtime=%${S}Y ctime=%${S}Z dev=%d ino=%i nlink=%h blocks=%b"
  REST="$REST rdev=%t,%T size=%s" FIRST="atime=%${S}X"
  [ "$STAT" ] || PACK=''
  MYUID=- MYGID=-
  while read -r k v _; do
    case $k in Uid:) MYUID=$v ;; Gid:) MYGID=$v ;; esac
  done </proc/self/status
  read -r _ _ _ _ FIRST_PID </proc/loadavg
  now; BEGAN=$NOW
}

# The client closed stdin: end everything that descends from this shell, nothing else.
watchdog() {
  while IFS= read -r line; do
    [ "$line" = ack ] && { kill -USR1 $$; exit 0; }
  done
  read -r me _ </proc/self/stat
  list=$$ grew=1
  kill -STOP $$
  while [ "$grew" ]; do
    grew=''
    for s in /proc/[0-9]*/stat; do
      { read -r l <"$s"; } 2>/dev/null || continue
      p=${s#/proc/} p=${p%/stat}
      set -- ${l##*) }
      case " $list $me " in
        *" $p "*) ;;
        *" $2 "*) [ "$2" = "$me" ] || { list="$list $p" grew=1; kill -STOP "$p"; } ;;
      esac
    done
  done
  kill -KILL $list
  [ "$LEADER" ] && kill -KILL -- "-$$"
}

digest() { # D: digest of the text $1
  D=-
  [ "$HASH" = - ] || D=$(printf %s "$1" | $HASH) D=${D%% *}
  STARTED=$((STARTED + 3))
}

text() { # $1 name, $2 content
  digest "$2"
  c=0; [ ${#2} -lt $TEXT_BYTES_MAX ] || c=1
  put text "name=${#1} bytes=${#2} sha256=$D cut=$c" "$1$2$NL"
  BYTES=$((BYTES + ${#2}))
}

cover() { # $1 state, $2 reason, $3 item, $4 files, $5 bytes
  put coverage "item=${#3} state=$1 reason=$2 files=${4:-0} bytes=${5:-0}" "$3$NL"
}

pseudo() { # files without a size, as text
  for p do
    V=$(head -c $TEXT_BYTES_MAX "$p" 2>/dev/null && printf .)
    if [ "$V" ]; then
      text "$p" "${V%.}"
      if [ $c = 0 ]; then cover got - "$p" 1 $((${#V} - 1))
      else cover partial cap "$p" 1 $TEXT_BYTES_MAX; fi
    elif [ -r "$p" ]; then cover denied unreadable "$p"
    elif [ -e "$p" ] || [ -h "$p" ]; then cover denied permission "$p"
    else cover absent not-found "$p"; fi
    STARTED=$((STARTED + 2))
  done
}

table() { # $1 name, then a command: its output as text
  n=$1; shift
  V=$("$@" 2>&1 | head -c $TEXT_BYTES_MAX; printf .) V=${V%.}
  STARTED=$((STARTED + 3))
  text "$n" "$V"
  if [ $c = 1 ]; then cover partial cap "$n" 1 ${#V}
  else
    case $V in
      '') cover absent empty "$n" ;;
      *'ermission denied'*) cover partial permission "$n" 1 ${#V} ;;
      *) cover got - "$n" 1 ${#V} ;;
    esac
  fi
}
