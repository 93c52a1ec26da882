// kubernetes.mjs page
//
// Whether the objects of a page are what Kubernetes' schemas say.  Prints a line
// for each: "kind: ok", or "kind: " and what is wrong.

import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

import { parseAllDocuments } from 'yaml';

const require = createRequire(import.meta.url);

for (const page of parseAllDocuments(readFileSync(process.argv[2], 'utf8'))) {
    const object = page.toJS();

    console.log(`${object.kind}: ${verdict(object)}`);
}


function verdict(object) {
    try {
        const kinds = require(`kubernetes-models/${object.apiVersion}`);

        new kinds[object.kind](object).validate();

        return 'ok';

    } catch (error) {
        return error.message;
    }
}
