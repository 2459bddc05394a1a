#!/usr/bin/env bash
# Walks through docs/install.md in a clone, as a test machine without systemd would: every block tagged `sh` or `sh plain`, in order,
# typed into one shell; those tagged `sh systemd` are for a server. Ends with what `lanbi check --live` says and the time it took.
#   scripts/install_walk.sh FOLDER      everything is written into FOLDER (new); what is started is stopped again
# Ports: LANBI_INFLUX_AT, LANBI_INFLUX_BROKER, LANBI_INFLUX_BOARD (free ones are found otherwise).
set -euo pipefail
cd "$(dirname "$0")/.."
folder="$(realpath -m "${1:?name a new folder}")"
[ ! -e "$folder" ] || { echo "$folder is there already"; exit 2; }
mkdir -p "$folder"

free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
export LANBI_INFLUX_AT="${LANBI_INFLUX_AT:-127.0.0.1:$(free)}" LANBI_INFLUX_BROKER="${LANBI_INFLUX_BROKER:-$(free)}" LANBI_INFLUX_BOARD="${LANBI_INFLUX_BOARD:-127.0.0.1:$(free)}"

# The page's own folders (its first block) become folders of the walk; packages are installed by root only.
python3 - "$folder" >"$folder/walk.sh" <<'PY'
import os, re, sys
folder = sys.argv[1]
print("set -euo pipefail")
page = open("docs/install.md", encoding="utf-8").read()
for number, (tag, block) in enumerate(re.findall(r"^```(sh(?: plain)?)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)):
    if number == 0:
        block = f"export PROGRAM={folder}/program ETC={folder}/etc DATA={folder}/data BACKUP={folder}/backup\n"
    for line in block.splitlines():
        if line.startswith("apt-get") and os.geteuid() != 0:
            continue
        shown = line.replace("'", "'\\''")
        print(f"printf '%4d s  $ %s\\n' \"$SECONDS\" '{shown}'")
        print(line)
print("printf '%4d s  done\\n' \"$SECONDS\"")
PY

stop() {
    for file in data/run.pid data-influx/pid data/mosquitto/mosquitto.pid; do
        if [ -s "$folder/$file" ]; then kill "$(cat "$folder/$file")" 2>>"$folder/stop.log" || true; fi
    done
}
trap stop EXIT
bash "$folder/walk.sh"
