// Proves the stub with the official client: two clients join a room, one says something, both hear it, and the
// heartbeat is answered. Exits with 0 when all of that works.

import { spawn } from "node:child_process";
import assert from "node:assert/strict";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Socket } from "phoenix";
import WebSocket from "ws";

const PATIENCE_MS = 5000;

const server = spawn(process.execPath, [fileURLToPath(new URL("server.mjs", import.meta.url))], {
    stdio: ["pipe", "pipe", "inherit"],
});
const [line] = await once(createInterface({ input: server.stdout }), "line");
const { websocket, control } = JSON.parse(line);

/** Resolves to what `subscribe` hands over. */
function heard(what, subscribe) {
    return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`nothing came: ${what}`)), PATIENCE_MS);
        subscribe((value) => {
            clearTimeout(timer);
            resolve(value);
        });
    });
}

/** A client that has joined the room; the official client adds `/websocket` by itself. */
async function client() {
    const socket = new Socket(websocket.replace(/\/websocket$/, ""), {
        transport: WebSocket,
        heartbeatIntervalMs: 200,
    });
    socket.connect();
    const channel = socket.channel("room:lobby", {});
    await heard("the join", (resolve) => channel.join().receive("ok", resolve));
    return { socket, channel };
}

const ann = await client();
const bob = await client();
const said = [ann, bob].map(({ channel }) => heard("what was said", (resolve) => channel.on("said", resolve)));
await heard("the reply", (resolve) => ann.channel.push("say", { text: "hello" }).receive("ok", resolve));
assert.deepEqual(await Promise.all(said), [{ text: "hello" }, { text: "hello" }]);

const beat = heard("the heartbeat's answer", (resolve) =>
    ann.socket.onMessage(({ topic, event }) => topic === "phoenix" && event === "phx_reply" && resolve()),
);
await beat;

const stranger = bob.socket.channel("elsewhere", {});
await heard("the refusal", (resolve) => stranger.join().receive("error", resolve));
stranger.leave();
await heard("the farewell", (resolve) => bob.channel.leave().receive("ok", resolve));

const { message } = await (await fetch(`${control}truth`)).json();
assert.deepEqual(message, { requests: 1, due: 2, sent: 2, lost: 0, duplicated: 0, reordered: 0, early: 0 });
server.stdin.end();
await once(server, "exit");
process.exit(0);
