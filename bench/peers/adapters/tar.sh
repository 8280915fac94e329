# A floor for what reads, compresses and encrypts everything each time: tar, zstd -3, AES-256-CTR.
cipher=(openssl enc -aes-256-ctr -pbkdf2 -k bench)
init() { mkdir "$repository"; }
backup() { tar -C "$data" --format=posix -cf - . | zstd -q -3 | "${cipher[@]}" >"$repository/$snapshot"; }
restore() { "${cipher[@]}" -d <"$repository/changed" | zstd -dqc | tar -C "$out" -xpf -; }
prune() { rm -f "$repository/first" "$repository/unchanged"; }
