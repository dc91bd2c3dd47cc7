#!/bin/sh
# Stands in for a download that needs a token, such as a private package.
set -eu
test -s "$1" || { echo "fetch: no token in $1" >&2; exit 1; }
echo "release 1.0, fetched with a token of $(wc -c <"$1") characters"
