#!/bin/sh
# What comes from npm for the checks and tests of the pages, into .browser: tests/browser/package.json lists it. Does
# nothing where it is there.
set -eu
cd "$(dirname "$0")/.."
if ! cmp -s tests/browser/package.json .browser/.installed; then
    mkdir -p .browser
    cp tests/browser/package.json .browser/package.json
    npm install --prefix .browser --silent --no-audit --no-fund --ignore-scripts
    cp tests/browser/package.json .browser/.installed
fi
