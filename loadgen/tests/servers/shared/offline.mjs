// Runs a service under `serverless offline`, in this process: what its functions import is shared with who runs it, and
// no process is left behind.

import { once } from "node:events";
import { createRequire } from "node:module";
import { connect, createServer } from "node:net";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { ready } from "./server.mjs";

/** Below the ports that outgoing connections take. */
const FIRST_PORT = 20_000;
const LAST_PORT = 30_000;
const RETRY_MS = 20;

/** What may be kept from one start to the next. */
export const cache = fileURLToPath(new URL("../node_modules/.cache", import.meta.url));

/** A free port, for a server that has to be told one. */
export async function freePort() {
    for (;;) {
        const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
        const probe = createServer();
        probe.listen(port, "127.0.0.1");
        const free = await once(probe, "listening").then(
            () => true,
            () => false,
        );
        if (!free) continue;
        probe.close();
        await once(probe, "close");
        return port;
    }
}

/** Serves the `serverless.yml` of a folder. Its functions find the management API at `MANAGEMENT_ENDPOINT`. */
export async function offline(folder, { websocketPort, lambdaPort }, truth) {
    Object.assign(process.env, {
        AWS_ACCESS_KEY_ID: "offline",
        AWS_SECRET_ACCESS_KEY: "offline",
        AWS_REGION: "us-east-1",
        MANAGEMENT_ENDPOINT: `http://127.0.0.1:${websocketPort}`,
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
        SLS_LOG_LEVEL: "warning",
        SLS_NOTIFICATIONS_MODE: "off",
        SLS_SCHEMA_CACHE_BASE_DIR: cache,
        SLS_TELEMETRY_DISABLED: "1",
    });
    process.chdir(folder);
    const ports = ["--websocketPort", websocketPort, "--lambdaPort", lambdaPort];
    process.argv.splice(2, Infinity, "offline", "--host", "127.0.0.1", "--noSponsor", ...ports.map(String));
    createRequire(import.meta.url)("serverless/bin/serverless.js");
    while (!(await answers(websocketPort))) await sleep(RETRY_MS);
    await ready(`ws://127.0.0.1:${websocketPort}/`, truth);
}

async function answers(port) {
    const socket = connect(port, "127.0.0.1");
    try {
        await once(socket, "connect");
        return true;
    } catch {
        return false;
    } finally {
        socket.destroy();
    }
}
