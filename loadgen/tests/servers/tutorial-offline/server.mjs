// TypeScript functions of the tutorial's kind under `serverless offline`, with tables in memory. What is AWS's own there
// is played here: the streams that call functions with what was written, and GameLift, which settles placements.

import { mkdir, mkdtemp } from "node:fs/promises";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

import { cache, freePort, offline } from "../shared/offline.mjs";
import { Pushes } from "../shared/pushes.mjs";
import { faults, listen } from "../shared/server.mjs";
import { Tables } from "./tables.mjs";

/** How long a stream takes to hand over what was written. */
const STREAM_MS = 10;
/** How long GameLift takes to place a player. */
const PLACEMENT_MS = 20;

const here = fileURLToPath(new URL(".", import.meta.url));
const ports = { websocketPort: await freePort(), lambdaPort: await freePort() };

/** Calls a function as the stream of a table does. */
async function invoke(name, eventName, item) {
    const address = `http://127.0.0.1:${ports.lambdaPort}/2015-03-31/functions/tutorial-dev-${name}/invocations`;
    const body = JSON.stringify({ Records: [{ eventName, dynamodb: { NewImage: item } }] });
    const answer = await fetch(address, { method: "POST", body });
    if (!answer.ok) throw new Error(`${name} has failed: ${await answer.text()}`);
}

const messages = new Pushes(faults());
// The pushes of one player's placements have no order.
const placements = new Pushes({ ...faults(), reorderEvery: 0 });

const tables = new Tables({
    Connections: { key: "playerId" },
    Messages: {
        key: "itemId",
        written: async (items) => {
            const push = (item) => () => invoke("onMessageInserted", "INSERT", item);
            // Nothing orders two functions that run at the same time.
            const sequence = Number(items[0].sentAt.N);
            const recipients = items.map((item) => [item.recipient.S, push(item)]);
            const late = await messages.begin(items[0].sender.S, recipients, sequence);
            setTimeout(late, STREAM_MS);
        },
    },
    Placements: {
        key: "ticket",
        written: async ([item]) => {
            if (item.state.S !== "PENDING") return;
            const settled = { ...item, state: { S: "READY" }, address: { S: "203.0.113.7" }, port: { N: "7777" } };
            const settle = async () => {
                await tables.put("Placements", [settled]);
                await invoke("onPlacementUpdated", "MODIFY", settled);
            };
            const late = await placements.begin(item.player.S, [[item.player.S, settle]]);
            setTimeout(late, PLACEMENT_MS);
        },
    },
});
process.env.AWS_ENDPOINT_URL_DYNAMODB = `http://127.0.0.1:${await listen(tables.server())}`;

// Built anew for each start, where they find their packages.
await mkdir(cache, { recursive: true });
const built = await mkdtemp(join(cache, "tutorial-"));
process.on("exit", () => rmSync(built, { recursive: true, force: true }));
process.env.FUNCTIONS = built;
await build({
    entryPoints: readdirSync(join(here, "functions")).map((file) => join(here, "functions", file)),
    outdir: built,
    bundle: true,
    packages: "external",
    platform: "node",
    target: "node20",
});
await offline(here, ports, { message: messages.truth, placement: placements.truth });
