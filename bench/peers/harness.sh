# What run, interrupt and fidelity share: where things are, one timed step, all steps of one peer.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
compiled=$root/dist/bench/peers
# what an adapter sees: see adapters/README.md
export repository data home out snapshot workdir
no_such_step=122

if [ ! -f "$compiled/data.js" ] || [ ! -f "$root/dist/bundle/grid.js" ]; then
  echo 'not built: npm run build' >&2
  exit 2
fi

use_workdir() { # DIR
  mkdir -p "$1/data" "$1/log" "$1/repository" && workdir=$(cd "$1" && pwd)
}

data_tool() { node "$compiled/data.js" "$@"; }

# Makes a data set, or takes back what was changed in it, and notes what it holds.
make_set() { # SET
  local directory=$workdir/data/$1 facts verb=digest
  [ -d "$directory" ] || { data_tool make "$1" "$directory" && sync; }
  data_tool unmutate "$directory"
  [ "$1" = home1m ] && verb=count # to read a million files would take longer than what is measured
  read -ra facts < <(data_tool "$verb" "$directory")
  touch "$workdir/data.tsv"
  sed -i "/^$1\t/d" "$workdir/data.tsv"
  printf '%s\t%s\t%s\t%s\n' "$1" "${facts[0]}" "${facts[1]}" "${facts[2]:--}" >>"$workdir/data.tsv"
  echo "$1: ${facts[0]} files, ${facts[1]} bytes, digest ${facts[2]:--}" >&2
}

measure_limits() { # SET
  echo "limits of this machine, $(nproc) cores (load $(cut -d' ' -f1 /proc/loadavg)):" >&2
  node "$compiled/limits.js" "$workdir/data/$1" | tee "$workdir/limits-$1.tsv" >&2
}

# Drops what is noted of a peer and a data set.
forget() { # PEER SET
  touch "$workdir/results.tsv"
  sed -i "/^$1\t$2\t/d" "$workdir/results.tsv"
}

# Empty places for one peer and one data set; its servers started, if it has any.
prepare() { # PEER SET
  repository=$workdir/repository/$1-$2 data=$workdir/data/$2
  home=$workdir/home/$1-$2 out=$workdir/out/$1-$2
  rm -rf "$repository" "$repository.pids" "$home" "$out"
  mkdir -p "$home" "$out"
  snapshot=first
  "$here/step" "$1" start >"$workdir/log/$1-$2-start" 2>&1
}

clear_up() {
  local pid pids=
  [ -s "$repository.pids" ] && pids=$(cat "$repository.pids")
  for pid in $pids; do kill "$pid" 2>/dev/null; done
  for pid in $pids; do
    for _ in $(seq 50); do [ -d "/proc/$pid" ] && sleep 0.1; done
    kill -9 "$pid" 2>/dev/null
  done
  rm -rf "$repository" "$repository.pids" "$home" "$out"
}

# CPU time of the servers so far, in hundredths of a second.
server_ticks() {
  local pid ticks=0
  for pid in $(cat "$repository.pids" 2>/dev/null); do
    ticks=$((ticks + $(awk '{ print $14 + $15 + $16 + $17 }' "/proc/$pid/stat" 2>/dev/null || echo 0)))
  done
  echo "$ticks"
}

record() { (IFS=$'\t' && echo "$*" >>"$workdir/results.tsv"); }

# Runs a step and notes seconds, CPU, CPU of servers, peak memory of the largest process, exit.
measure() { # PEER SET ROUND STEP [NAME, by which it is noted]
  local ticks seconds user system kibibytes exit name=${5:-$4}
  ticks=$(server_ticks)
  /usr/bin/time -q -f '%e %U %S %M' -o "$workdir/time" \
    timeout "$step_seconds" "$here/step" "$1" "$4" >"$workdir/log/$1-$2-$name" 2>&1
  exit=$?
  [ $exit = $no_such_step ] && return $exit
  ticks=$(($(server_ticks) - ticks))
  read -r seconds user system kibibytes < <(tail -n 1 "$workdir/time")
  record "$1" "$2" "$3" time "$name" "$seconds" "$(awk "BEGIN { print $user + $system }")" \
    "$(awk "BEGIN { print $ticks / 100 }")" $((kibibytes / 1024)) $exit
  echo "$(date +%T) $2 $1, round $3: $name ${seconds} s, $((kibibytes / 1024)) MiB, exit $exit" \
    "(load $(cut -d' ' -f1 /proc/loadavg))" >&2
  return $exit
}

measure_size() { # PEER SET ROUND WHEN
  record "$1" "$2" "$3" size "$4" $(find "$repository" -type f -printf '%s %b\n' |
    awk '{ bytes += $1; blocks += $2 } END { printf "%.0f %.0f %d", bytes, blocks * 512, NR }')
}

# Whether $out equals $data: all of it, its contents only, or not.
measure_restored() { # PEER SET ROUND
  local wanted found verdict=DIFFERS
  read -ra wanted < <(data_tool digest "$data")
  read -ra found < <(data_tool digest "$out")
  [ "${wanted[2]}" = "${found[2]}" ] && verdict=contents
  [ "${wanted[*]:2}" = "${found[*]:2}" ] && verdict=all
  record "$1" "$2" "$3" restored $verdict
}

# All steps of one peer on one data set. Of home1m only a run that finds nothing new is of interest.
compare() { # PEER SET ROUND
  prepare "$1" "$2"
  measure "$@" init
  if measure "$@" backup; then
    measure_size "$@" first
    snapshot=unchanged && measure "$@" backup unchanged
    [ "$2" = home1m ] || compare_changed "$@"
  fi
  clear_up
}

compare_changed() { # PEER SET ROUND
  data_tool mutate "$2" "$data"
  sleep 1 # so that no time stamp is of the second in which a backup reads it
  measure_size "$@" unchanged
  snapshot=changed && measure "$@" backup changed && measure_size "$@" changed
  measure "$@" restore && measure_restored "$@"
  measure "$@" check
  measure "$@" prune && measure_size "$@" pruned
  data_tool unmutate "$data"
}
