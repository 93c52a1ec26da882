// What is written behind the typed client of docs/clients.md: each operation by
// its types, and what the types refuse.  Prints one JSON line.

const [url = '', key = ''] = process.argv.slice(2);
const said: unknown[] = [];

async function operations() {
    const created = await createSegment(key, {
        name: 'Premium users',
        conditions: [{ metric: 'renewable', comparator: 'eq', value: '1' }],
    });
    const again = await createSegment(key, {
        name: 'Premium users',
        conditions: [{ metric: 'renewable', comparator: 'eq', value: '1' }],
    });

    said.push(created.id === again.id && created.conditions[0]?.value);

    const path = { segment_id: created.id };
    const got = await gateway.GET('/v4/segments/{segment_id}',
        { params: { path } });

    said.push(got.data?.is_system);

    // as it was got, but for its name

    const put = await gateway.PUT('/v4/segments/{segment_id}',
        { params: { path }, body: { ...got.data!, name: 'Changed',
            conditions: [] } });

    said.push(put.data?.name);

    const gone = await gateway.DELETE('/v4/segments/{segment_id}',
        { params: { path } });

    said.push(gone.response.status);

    const all = await gateway.GET('/v4/segments',
        { params: { query: { limit: 2 } } });
    const system = await gateway.GET('/v4/segments/system');

    said.push(all.data?.has_more, system.data?.data.length);

    const refused = await gateway.GET('/v4/segments',
        { params: { query: { limit: 101 } } });

    said.push(refused.error?.error.details?.[0]?.field);
}

async function refused_by_the_types() {
    await createSegment(key, {
        name: 'a',
        // @ts-expect-error: no such comparator
        conditions: [{ metric: 'm', comparator: 'equals', value: 'v' }],
    });

    await createSegment(key, {
        name: 'a',
        // @ts-expect-error: a value is a string
        conditions: [{ metric: 'm', comparator: 'eq', value: 1 }],
    });

    // @ts-expect-error: a create has no id
    await createSegment(key, { name: 'a', id: 'b' });

    // @ts-expect-error: a segment has a name
    await createSegment(key, {});

    // @ts-expect-error: there is no such operation
    await gateway.PATCH('/v4/segments', {});
}

if (url === 'never') {
    await refused_by_the_types();
}

await operations();
console.log(JSON.stringify(said));
