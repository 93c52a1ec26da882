#!/bin/sh
#
# openapi-typescript 7.13.0 (npm): a property that has a default, and is not in
# "required", is not optional in the type: a client has to send it.  It is the
# same type for a request and for an answer.  A parameter with a default stays
# optional.
#
# One would guess that what has a default may be left out, as the default is
# what is taken then (OpenAPI 3.0, Schema Object), and that "required" alone
# says what may not.  --default-non-nullable=false makes it so; its name speaks
# of null.
#
# So a contract that gains a default, which is no change for whoever sends,
# breaks the build of its clients, or makes them send a value of their own for
# ever, which no later default reaches.  Seen, of tsc and the body
# { name: 'a' }:
#
#     by default: enabled: boolean; refused
#     --default-non-nullable=false: enabled?: boolean; taken
#
# Needs: node 18 or newer, npm.  Nothing is installed.

set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

echo '{"private":true}' > package.json
npm install --ignore-scripts --no-audit --no-fund --save-exact \
    openapi-typescript@7.13.0 typescript@5.9.3 > npm.log 2>&1 \
    || { cat npm.log; exit 2; }

cat > api.yaml << 'YAML'
openapi: 3.0.3
info: { title: a, version: '1' }
paths: {}
components:
  schemas:
    New:
      type: object
      required: [name]
      properties:
        name: { type: string }
        enabled: { type: boolean, default: true }
YAML

cat > client.ts << 'TS'
import type { components } from './api';

export const body: components['schemas']['New'] = { name: 'a' };
TS

said() {
    name=$1; shift
    node_modules/.bin/openapi-typescript api.yaml -o api.d.ts "$@" \
        > log 2>&1 || { cat log; exit 2; }

    refused=taken
    node_modules/.bin/tsc --noEmit --strict client.ts > tsc.log 2>&1 \
        || refused=refused
    echo "$name:$(grep 'enabled' api.d.ts | tr -s ' ') $refused"
}

{
    said 'by default'
    said '--default-non-nullable=false' --default-non-nullable=false
} > shown

cat > expected << 'TEXT'
by default: enabled: boolean; refused
--default-non-nullable=false: enabled?: boolean; taken
TEXT

cat shown
cmp -s shown expected
