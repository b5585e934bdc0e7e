// A stub of a Phoenix channel in protocol version 2.0.0, the JSON form: `prove.mjs` has the official client use it.
//
// Messages are arrays: reference of the join, reference of the message, topic, event, payload.

import { createServer } from "node:http";
import { WebSocketServer } from "ws";

import { Pushes } from "../shared/pushes.mjs";
import { faults, listen, ready } from "../shared/server.mjs";

const pushes = new Pushes(faults());
/** By topic, who has joined: sockets with their numbers. */
const rooms = new Map();
let connections = 0;

function member(topic, socket) {
    return rooms.get(topic)?.has(socket) ?? false;
}

async function handle(socket, number, [join, reference, topic, event, payload]) {
    const reply = (status, response) =>
        socket.send(JSON.stringify([join, reference, topic, "phx_reply", { status, response }]));
    if (topic === "phoenix" && event === "heartbeat") {
        reply("ok", {});
    } else if (event === "phx_join") {
        if (!topic.startsWith("room:")) return reply("error", { reason: "unmatched topic" });
        if (!rooms.has(topic)) rooms.set(topic, new Map());
        rooms.get(topic).set(socket, number);
        reply("ok", {});
    } else if (!member(topic, socket)) {
        reply("error", { reason: "unmatched topic" });
    } else if (event === "phx_leave") {
        rooms.get(topic).delete(socket);
        reply("ok", {});
    } else if (event === "say") {
        const said = JSON.stringify([null, null, topic, "said", payload]);
        const room = [...rooms.get(topic)].map(([to, name]) => [name, () => to.send(said)]);
        const late = await pushes.begin(number, room);
        reply("ok", {});
        await late();
    }
}

const http = createServer();
const sockets = new WebSocketServer({ server: http, path: "/socket/websocket" });
sockets.on("connection", (socket) => {
    const number = ++connections;
    socket.on("message", (frame) => handle(socket, number, JSON.parse(frame)));
    socket.on("close", () => rooms.forEach((room) => room.delete(socket)));
});
await ready(`ws://127.0.0.1:${await listen(http)}/socket/websocket`, { message: pushes.truth });
