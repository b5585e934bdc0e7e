// As much of DynamoDB's interface as the functions use, in memory.

import { createServer } from "node:http";
import { text } from "node:stream/consumers";

/** Tables by name: attribute of the key, and what is called with items that have been written. */
export class Tables {
    #tables = new Map();

    constructor(tables) {
        for (const [name, { key, written = async () => {} }] of Object.entries(tables)) {
            this.#tables.set(name, { key, written, items: new Map() });
        }
    }

    /** The HTTP server to which AWS's SDK talks. */
    server() {
        return createServer(async (request, response) => {
            const operation = request.headers["x-amz-target"]?.split(".")[1];
            const input = JSON.parse(await text(request));
            const known = Object.hasOwn(operations, operation);
            const output = known
                ? await operations[operation](this, input)
                : { __type: "com.amazonaws.dynamodb.v20120810#UnknownOperationException" };
            response.writeHead(known ? 200 : 400, { "content-type": "application/x-amz-json-1.0" });
            response.end(JSON.stringify(output));
        });
    }

    /** Writes items, and tells those who wait for it. */
    async put(name, items) {
        const { key, written, items: table } = this.#tables.get(name);
        for (const item of items) table.set(item[key].S, item);
        await written(items);
    }

    get(name, key) {
        const table = this.#tables.get(name);
        return table.items.get(key[table.key].S);
    }

    delete(name, key) {
        const table = this.#tables.get(name);
        table.items.delete(key[table.key].S);
    }

    find(name, attribute, value) {
        return [...this.#tables.get(name).items.values()].filter((item) => item[attribute]?.S === value);
    }
}

const operations = {
    async PutItem(tables, { TableName, Item }) {
        await tables.put(TableName, [Item]);
        return {};
    },
    async GetItem(tables, { TableName, Key }) {
        return { Item: tables.get(TableName, Key) };
    },
    async DeleteItem(tables, { TableName, Key }) {
        tables.delete(TableName, Key);
        return {};
    },
    async Query(tables, { TableName, KeyConditionExpression, ExpressionAttributeValues }) {
        const [attribute, value] = KeyConditionExpression.split(" = ");
        const Items = tables.find(TableName, attribute, ExpressionAttributeValues[value].S);
        return { Items, Count: Items.length };
    },
    async BatchGetItem(tables, { RequestItems }) {
        const found = (name, keys) => keys.map((key) => tables.get(name, key)).filter(Boolean);
        const each = Object.entries(RequestItems).map(([name, { Keys }]) => [name, found(name, Keys)]);
        return { Responses: Object.fromEntries(each), UnprocessedKeys: {} };
    },
    async BatchWriteItem(tables, { RequestItems }) {
        for (const [name, requests] of Object.entries(RequestItems)) {
            await tables.put(
                name,
                requests.map(({ PutRequest }) => PutRequest.Item),
            );
        }
        return { UnprocessedItems: {} };
    },
};
