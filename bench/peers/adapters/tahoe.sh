# Tahoe-LAFS on loopback: an introducer, ten nodes and a client, 3-of-10. For small data sets only.
# TAHOE names the program, shares (needed happy total) another redundancy.
tahoe=${TAHOE:-tahoe}
read -r needed happy total <<<"${shares:-3 7 10}"

# A process that listens on a port of loopback.
run_node() { # DIRECTORY
  "$tahoe" run --allow-stdin-close "$1" >"$home/$(basename "$1").log" 2>&1 &
  echo $! >>"$repository.pids"
}
listen() { # PORT
  echo "--port=tcp:$1:interface=127.0.0.1 --location=tcp:127.0.0.1:$1"
}
appears() { # FILE
  timeout 60 bash -c 'until [ -s "$0" ]; do sleep 0.5; done' "$1"
}
start() {
  local furl i
  mkdir -p "$repository"
  "$tahoe" create-introducer --listen=tcp $(listen 18100) "$repository/introducer"
  run_node "$repository/introducer"
  appears "$repository/introducer/private/introducer.furl"
  furl=$(cat "$repository/introducer/private/introducer.furl")
  for i in {1..10}; do
    "$tahoe" create-node --nickname="n$i" --introducer="$furl" --webport=none $(listen $((18100 + i))) \
      "$repository/n$i"
    run_node "$repository/n$i"
  done
  "$tahoe" create-client --introducer="$furl" --webport=tcp:18099:interface=127.0.0.1 \
    --shares-needed="$needed" --shares-happy="$happy" --shares-total="$total" "$home/client"
  run_node "$home/client"
  appears "$home/client/node.url" && sleep 10 # until it has found the nodes
}
init() { "$tahoe" -d "$home/client" create-alias b; }
backup() { "$tahoe" -d "$home/client" backup "$data" b:x; }
restore() {
  "$tahoe" -d "$home/client" cp -r b:x/Latest "$out" && mv "$out"/Latest/* "$out" && rmdir "$out/Latest"
}
check() { "$tahoe" -d "$home/client" deep-check --verify b:; }
