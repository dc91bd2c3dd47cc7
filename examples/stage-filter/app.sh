#!/bin/sh
set -eu
cd "$(dirname "$0")"
echo "running with: $(ls vendor | tr '\n' ' ')"
