#!/bin/sh
# A test that depends on more than its files: run it in every build.
set -eu
./app.sh | grep -q router
echo "passed"
