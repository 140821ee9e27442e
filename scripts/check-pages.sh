#!/bin/sh
# The types of the pages' modules, read by TypeScript from their JSDoc; nothing is built. TypeScript comes from npm into
# .browser, where it is not there yet.
set -eu
cd "$(dirname "$0")/.."
sh scripts/browser-modules.sh
exec .browser/node_modules/.bin/tsc --project jsconfig.json
