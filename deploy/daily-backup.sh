#!/bin/sh
# Makes a dated backup in FOLDER, rehearses its restore, and keeps the newest 14:
#   daily-backup.sh FOLDER COMMAND…
# COMMAND is how you call Foyer's commands: `foyer`, or `node … src/cli.ts`. Run this script as the user that Foyer runs
# as, and never twice at the same time. Old backups are deleted only after the new one has passed.
set -eu
export LC_ALL=C
umask 077
keep=14

folder=$1
shift
mkdir -p -- "$folder"
dated="foyer-[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9][0-9][0-9][0-9][0-9]Z.db"
file=$folder/foyer-$(date -u +%Y-%m-%dT%H%M%SZ).db

# Removes what a killed backup left behind.
rm -f -- "$folder"/$dated.partial

"$@" backup "$file"
if ! "$@" backup --verify "$file"; then
  mv -f -- "$file" "$folder/foyer-unusable.db"
  echo "This backup could not be restored, and is kept as $folder/foyer-unusable.db. No older one was deleted." >&2
  exit 1
fi

# By number and not by age: after two weeks without a new backup, the old ones are all there is. The names sort by time.
set -- "$folder"/$dated
while [ "$#" -gt "$keep" ]; do
  rm -f -- "$1"
  shift
done
