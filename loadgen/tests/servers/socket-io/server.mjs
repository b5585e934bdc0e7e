// `socket.io` with one event: what a client says, all clients hear, and its sender has it acknowledged.

import { createServer } from "node:http";
import { Server } from "socket.io";

import { Pushes } from "../shared/pushes.mjs";
import { listen, options, ready } from "../shared/server.mjs";

const { faults, ping } = options({ ping: "20000" });
const pushes = new Pushes(faults);
const http = createServer();
const io = new Server(http, { transports: ["websocket"], pingInterval: Number(ping), pingTimeout: Number(ping) });
io.on("connection", (socket) => {
    socket.on("say", async (text, acknowledge) => {
        const everyone = [...io.sockets.sockets.values()].map((to) => [to.id, () => to.emit("said", text)]);
        const late = await pushes.begin(socket.id, everyone);
        acknowledge({ ok: true });
        await late();
    });
});
await ready(`ws://127.0.0.1:${await listen(http)}/`, { message: pushes.truth });
