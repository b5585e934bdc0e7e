// `rpc-websockets` with one method: what a client says, all clients that listen to the event `said` are notified of.

import { once } from "node:events";
import { Server } from "rpc-websockets";

import { Pushes } from "../shared/pushes.mjs";
import { faults, ready } from "../shared/server.mjs";

const pushes = new Pushes(faults());
const server = new Server({ host: "127.0.0.1", port: 0 });
server.event("said");
server.register("say", async ({ text }, sender) => {
    const { clients, events } = server.of("/").clients();
    const notification = server.dataPack.encode({ notification: "said", params: { text } });
    const listeners = events.said.sockets.map((id) => [id, () => clients.get(id)?.send(notification)]);
    const late = await pushes.begin(sender, listeners);
    // The library answers before anything else that is due happens.
    setImmediate(late);
    return true;
});
await once(server, "listening");
await ready(`ws://127.0.0.1:${server.wss.address().port}/`, { message: pushes.truth });
