// openapi.mjs page file
//
// Whether an OpenAPI page is valid, and what a gateway did is what it says.
// The file has what was done, as JSON:
//
//     answers   [{ operation, example, status, headers: [[name, value]],
//               body }]
//     values    [{ schema, value, accepted }]: what the gateway took as such
//
// Prints "ok - ..." or "not ok - ..." for each check.

import assert from 'node:assert';
import { readFileSync } from 'node:fs';

import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { parse } from 'yaml';

const [path, done] = process.argv.slice(2);
const page = parse(readFileSync(path, 'utf8'));
const { answers, values } = JSON.parse(readFileSync(done, 'utf8'));

// what the gateway itself says with an answer
const OWN = /^(?:idempoten\S+|retry-after|ratelimit\S*|allow)$/;

const ajv = new Ajv.default({ strict: false, allErrors: true,
    validateSchema: false });

formats.default(ajv);
ajv.addSchema(page, 'page');

const compiled = new Map();

check('the page is valid',
    await new Validator().validate(structuredClone(page)));

const operations = new Map();

for (const [way, item] of Object.entries(page.paths)) {
    for (const [method, operation] of Object.entries(item)) {
        if (operation.operationId) {
            operations.set(operation.operationId,
                `#/paths/${escape(way)}/${method}`);
        }
    }
}

for (const [name, at] of operations) {
    const media = `${at}/requestBody/content/application~1json`;

    for (const example of Object.keys(at_(media)?.examples ?? {})) {
        check(`${name}: ${example}`,
            fits(`${media}/schema`, at_(media).examples[example].value));
    }
}

// the examples of answers, each by itself

const missing = new Set();

for (const [name, at] of operations) {
    for (const status of Object.keys(at_(at).responses)) {
        const media = media_of(`${at}/responses/${status}`);

        if (!media) {
            missing.add(`${name} ${status} `);
        }

        for (const example of Object.keys(at_(media)?.examples ?? {})) {
            missing.add(`${name} ${status} ${example}`);
            check(`${name} ${status}: ${example}`, fits(`${media}/schema`,
                at_(`${media}/examples/${example}`).value));
        }
    }
}

for (const answer of answers) {
    const name = `${answer.operation} ${answer.status} ${answer.example}`;

    missing.delete(name);
    check(`given: ${name}`, given(answer));
}

check('everything is given', [...missing].length
    ? { errors: [...missing] } : { valid: true });

for (const { schema, value, accepted } of values) {
    const { valid } = fits(`#/components/schemas/${schema}`, value);

    check(`${schema}: ${JSON.stringify(value)?.slice(0, 60)}`,
        { valid: valid === accepted, errors: `the gateway says ${accepted}` });
}


function check(name, { valid, errors }) {
    console.log(`${valid ? 'ok' : 'not ok'} - ${name}`
        + (valid ? '' : `: ${JSON.stringify(errors)}`));
}


function given({ operation, status, example, headers, body }) {
    const at = follow(`${operations.get(operation)}/responses/${status}`);

    if (!at) {
        return { errors: `no ${status}` };
    }

    const has = new Map(headers.map(([name, value]) =>
        [name.toLowerCase(), value]));
    const documented = at_(at).headers ?? {};
    const unknown = [...has.keys()].filter(name => OWN.test(name)
        && !Object.keys(documented).some(one => one.toLowerCase() === name));

    if (unknown.length) {
        return { errors: `not documented: ${unknown}` };
    }

    for (const name of Object.keys(documented)) {
        const header = follow(`${at}/headers/${name}`);
        const value = has.get(name.toLowerCase());

        if (value === undefined) {
            if (at_(header).required) {
                return { errors: `no ${name}` };
            }
            continue;
        }

        const integer = at_(header).schema.type === 'integer'
            && /^[0-9]+$/.test(value);
        const verdict = fits(`${header}/schema`,
            integer ? Number(value) : value);

        if (!verdict.valid) {
            return { errors: [name, value, verdict.errors] };
        }
    }

    const media = media_of(at);

    if (!media) {
        return { valid: body === '', errors: 'a body' };
    }

    if (has.get('content-type') !== 'application/json') {
        return { errors: has.get('content-type') ?? 'no type' };
    }

    const value = JSON.parse(body);
    const verdict = fits(`${media}/schema`, value);

    if (!verdict.valid || !value.error || example === 'qonversion') {
        return verdict;
    }

    try {
        assert.deepStrictEqual(value,
            at_(`${media}/examples/${example}`).value);
        return { valid: true };
    } catch (error) {
        return { errors: value };
    }
}


function fits(pointer, value) {
    if (!compiled.has(pointer)) {
        compiled.set(pointer, ajv.compile({ $ref: `page${pointer}` }));
    }

    const validate = compiled.get(pointer);

    return { valid: validate(value), errors: validate.errors };
}


function media_of(pointer) {
    const at = `${follow(pointer)}/content/application~1json`;

    return at_(at) && at;
}


// what a pointer leads to, and the pointer behind its $ref

function at_(pointer) {
    let value = page;

    for (const part of (pointer ?? '').split('/').slice(1)) {
        value = value?.[part.replace(/~1/g, '/').replace(/~0/g, '~')];

        if (value?.$ref) {
            value = at_(value.$ref);
        }
    }

    return pointer && value;
}


function follow(pointer) {
    const parts = pointer.split('/');
    const last = parts.pop().replace(/~1/g, '/').replace(/~0/g, '~');
    const holder = at_(parts.join('/'));

    return holder?.[last] && (holder[last].$ref ?? pointer);
}


function escape(part) {
    return part.replace(/~/g, '~0').replace(/\//g, '~1');
}
