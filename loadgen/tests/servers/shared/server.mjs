// What every server here does: it takes faults as arguments, says where it is, tells the truth and ends with its input.

import { once } from "node:events";
import { createServer } from "node:http";
import process from "node:process";
import { parseArgs } from "node:util";

/** What the command line asks for: pushes that are to go wrong, and what a server has besides, each a text. */
export function options(others = {}) {
    const number = { type: "string", default: "0" };
    const faulty = { "lose-every": number, "duplicate-every": number, "reorder-every": number, "early-every": number };
    const own = Object.entries(others).map(([name, byDefault]) => [name, { type: "string", default: byDefault }]);
    const { values } = parseArgs({ options: { ...faulty, ...Object.fromEntries(own) } });
    const faults = {
        loseEvery: Number(values["lose-every"]),
        duplicateEvery: Number(values["duplicate-every"]),
        reorderEvery: Number(values["reorder-every"]),
        earlyEvery: Number(values["early-every"]),
    };
    return { ...values, faults };
}

/** Which pushes are to go wrong, of a server that has nothing besides. */
export function faults() {
    return options().faults;
}

/** Listens on a free port of the loopback and returns it. */
export async function listen(server) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return server.address().port;
}

/**
 * Says on the standard output that the server is ready: a line of JSON with the addresses of its socket and of its
 * control, where `GET /truth` tells what really happened, by kind of push. Ends when the standard input does, so that
 * no server outlives the test that started it.
 */
export async function ready(websocket, truth) {
    const control = createServer((request, response) => {
        const found = request.method === "GET" && request.url === "/truth";
        response.statusCode = found ? 200 : 404;
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(found ? truth : { message: "Not Found" }));
    });
    const port = await listen(control);
    process.stdout.write(`${JSON.stringify({ websocket, control: `http://127.0.0.1:${port}/` })}\n`);
    process.stdin.resume();
    process.stdin.on("close", () => process.exit(0));
}
