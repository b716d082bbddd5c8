# SPDX-License-Identifier: Apache-2.0
# Files: how they are described, gathered into packs, opened once and sent at their stat'ed size.
# shellcheck shell=sh disable=SC2086,SC2154

quote() { # QUOTED: $1 so that eval gives it back
  r=$1 QUOTED=''
  while :; do
    case $r in *\'*) QUOTED="$QUOTED${r%%\'*}'\\''" r=${r#*\'} ;; *) break ;; esac
  done
  QUOTED="'$QUOTED$r'"
}

stats() { # one line for each path that can be seen; no name in it, so no hostile newline
  if [ "$STAT" ]; then stat -c "$FIRST $REST" -- "$@" 2>/dev/null; return; fi
  for f do
    m=0 z=0
    if [ -h "$f" ]; then m=a000; elif [ -d "$f" ]; then m=4000
    elif [ -f "$f" ]; then m=8000 z=$(wc -c <"$f") || z=0
    elif [ -p "$f" ]; then m=1000; elif [ -S "$f" ]; then m=c000
    elif [ -b "$f" ]; then m=6000; elif [ -c "$f" ]; then m=2000; else continue; fi
    printf 'atime=- mode=%s uid=- gid=- mtime=- ctime=- dev=- ino=- nlink=- blocks=- ' "$m"
    printf 'rdev=- size=%s\n' "$((z))"
  done
}

queue() { quote "$1"; Q="$Q $QUOTED" QN=$((QN + 1)); [ $QN -lt 128 ] || flush; }

flush() { # says and sends what is queued
  [ $QN -gt 0 ] || return 0
  eval "set -- $Q"; Q='' QN=0
  now; STARTED=$((STARTED + 2))
  [ $((NOW - LAST)) -lt 10 ] || put beat "uptime=$NOW" ''
  [ $((NOW - BEGAN)) -le "$SECONDS_MAX" ] || OVER=budget-seconds
  lines=$(stats "$@") i=0
  IFS=$NL; for l in $lines; do i=$((i + 1)); done
  if [ $i = $# ]; then for l in $lines; do IFS=' 	'$NL; one "$1" "$l"; shift; done
  else
    IFS=' 	'$NL
    for f do
      if l=$(stats "$f") && [ "$l" ]; then one "$f" "$l"
      else I_BAD=$((I_BAD + 1)) WHY=vanished; fi
    done
  fi
  IFS=' 	'$NL
}

bare() { # a file record without content: $1 path, $2 stat line, $3 why, $4 link target
  put file "path=${#1} link=${#4} $2 offset=0 content=- why=$3" "$1$4$NL"
  FILES=$((FILES + 1)) I_FILES=$((I_FILES + 1))
  case $3 in -) ;; *) I_BAD=$((I_BAD + 1)) REFUSED=$((REFUSED + 1)) WHY=$3 ;; esac
}

one() { # $1 path, $2 stat line
  m=${2#* mode=} m=${m%% *}
  case $m in
    8???) if [ -z "$FILTER" ] || recent "$1" "$2"; then regular "$1" "$2"; fi ;;
    a???)
      [ "$FILTER" ] && return
      t=$(readlink -n "$1" && printf .); STARTED=$((STARTED + 1))
      bare "$1" "$2" - "${t%.}" ;;
    *) [ "$FILTER" ] || bare "$1" "$2" - ;;
  esac
}

recent() { # a script that came or changed after SINCE
  case $1 in *.php | *.php[3-8] | *.phtml | *.jsp | *.jspx | *.asp | *.aspx | *.ashx) ;;
    *.py | *.pl | *.cgi | *.sh | *.cfm | *.war | */.htaccess) ;; *) return 1 ;; esac
  a=${2#* ctime=} a=${a%%[. ]*}
  [ "$a" = - ] || [ "$a" -ge "$SINCE" ]
}

regular() { # $1 path, $2 stat line
  size=${2##*=}
  if [ ! -r "$1" ]; then bare "$1" "$2" permission; return; fi
  case $1 in
    */.ssh/* | */etc/ssh/*)
      k=''; IFS= read -r k <"$1"
      case $k in *'PRIVATE KEY'* | PuTTY*) bare "$1" "$2" private-key; return ;; esac ;;
    */secrets/*token* | */azure/tokens/*) token "$1"; bare "$1" "$2" token; return ;;
  esac
  n=$size; [ "$n" -le "$CAP" ] || n=$CAP
  if [ "$OVER" ]; then bare "$1" "$2" "$OVER"
  elif [ $((SENT + PB + n)) -gt "$BYTES_MAX" ]; then
    LIMITED=1; bare "$1" "$2" budget-bytes
  elif [ "$PACK" ] && [ "$size" -le $SMALL_BYTES_MAX ] && [ "$size" -le "$CAP" ]; then
    if [ $((PB + size)) -gt $PACK_BYTES_MAX ] || [ $PN -ge $PACK_FILES_MAX ]; then pack; fi
    out "item path=${#1} $2$NL$1$NL"
    quote "$1"
    SQ="$SQ $QUOTED" SL="$SL${2#* }$NL" PN=$((PN + 1)) PB=$((PB + ${2##*=}))
    [ $((PN % 16)) != 0 ] || { PQ="$PQ$SQ" PL="$PL$SL" SQ='' SL=''; }
  else alone "$1" "$2"; fi
}

token() { # a service account token: its claims and its digest, never its signature
  h='' b='' D=-
  IFS=. read -r h b _ <"$1"
  [ "$HASH" = - ] || D=$($HASH <"$1") D=${D%% *}
  text "claims:$1" "sha256=$D${NL}header=$h${NL}claims=$b$NL"
}

through() { # stdin to the stream, its digest to stdout
  if [ "$STREAM_HASH" = - ]; then cat >&5; echo -
  else { tee "$FDS/4" >&5; } 4>&1 | $STREAM_HASH; fi
}

# Long strings are slow to append to in a shell: SQ and SL gather sixteen for PQ and PL.
pack_clear() { PQ='' PN=0 PB=0 PL='' SQ='' SL=''; }

pack() { # sends the small files gathered; if one of them moved meanwhile, each again alone
  [ "$PN" -gt 0 ] || return 0
  PL="$PL$SL"; eval "set -- $PQ$SQ"
  put pack "files=$PN bytes=$PB" ''
  D=$({ cat -- "$@"; cat /dev/zero; } 2>/dev/null | head -c "$PB" | through)
  s=moved; [ "$(stat -c "$REST" -- "$@" 2>/dev/null)$NL" = "$PL" ] && s=settled
  out "${NL}end sha256=${D%% *} state=$s$NL"
  STARTED=$((STARTED + 10)) BYTES=$((BYTES + PB)) SENT=$((SENT + PB)) READ=$((READ + PN))
  if [ $s = settled ]; then
    FILES=$((FILES + PN)) I_FILES=$((I_FILES + PN)) I_BYTES=$((I_BYTES + PB)); pack_clear
  else
    pack_clear
    for f do
      if l=$(stats "$f") && [ "$l" ]; then alone "$f" "$l"
      else I_BAD=$((I_BAD + 1)) WHY=vanished; fi
    done
  fi
}

alone() { # $1 path, $2 stat line, $3 link target: one file by itself, opened once
  opened=''
  { opened=1; body "$1" "$2" "$3"; } 8<"$1" || :
  [ "$opened" ] || bare "$1" "$2" permission "$3"
}

fields() { if [ "$STAT" ]; then stat -Lc "$1" "$FDS/8"; else echo "${2#* }"; fi; }

bytes() { # $1 offset, $2 count, from descriptor 8, zeros where the file ends early
  q=$(($2 / BLOCK)) r=$(($2 % BLOCK))
  if [ "$FDPOS" ]; then
    { [ $q = 0 ] && [ $1 = 0 ]; } || dd bs=$BLOCK skip=$(($1 / BLOCK)) count=$q
    [ $r = 0 ] || dd bs=$r count=1
    read -r _ pos </proc/self/fdinfo/8
    pos=$((pos - $1)); [ $pos -ge 0 ] || pos=0
    echo $pos >&6
    [ $pos -ge "$2" ] || head -c $(($2 - pos)) /dev/zero
  else
    echo - >&6
    { tail -c +$(($1 + 1)); cat /dev/zero; } | head -c "$2"
  fi <&8 2>/dev/null
}

body() {
  a=$(fields "$REST" "$2") size=${a##*=} o=0 STARTED=$((STARTED + 12)) READ=$((READ + 1))
  i=" ${a#* dev=}" i=${i%% nlink=*} j=" ${2#* dev=}" j=${j%% nlink=*}
  [ "$i" = "$j" ] || { bare "$1" "$2" swapped "$3"; return 0; }
  n=$size
  if [ "$n" -gt "$CAP" ]; then
    n=$CAP; [ -z "$TAIL" ] || { o=$(((size - n) / BLOCK * BLOCK)); n=$((size - o)); }
    I_BAD=$((I_BAD + 1)) WHY=cap
  fi
  put file "path=${#1} link=${#3} ${2%% *} $a offset=$o content=$n why=-" "$1$3$NL"
  D=$(exec 6>&1; bytes $o $n | through)
  e=$(fields "$REST" "$2") got=${D%%"$NL"*} D=${D#*"$NL"} flags=''
  [ "$got" = - ] || [ "$got" -ge "$n" ] || flags=,shrunk
  [ "${e##*=}" -le "$size" ] || flags=$flags,grown
  [ "$e" = "$a" ] || flags=$flags,changed
  if [ $o -gt 0 ] || [ "$n" -lt "$size" ]; then flags=$flags,capped; fi
  flags=${flags#,}
  out "${NL}end sha256=${D%% *} read=$got flags=${flags:--}$NL"
  FILES=$((FILES + 1)) I_FILES=$((I_FILES + 1)) BYTES=$((BYTES + n)) SENT=$((SENT + n))
  I_BYTES=$((I_BYTES + n))
  case $flags in *shrunk*) I_BAD=$((I_BAD + 1)) WHY=changed ;; esac
}
