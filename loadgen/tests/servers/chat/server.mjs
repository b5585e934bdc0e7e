// The behaviour of AWS's chat sample under `serverless offline`.

import { fileURLToPath } from "node:url";

import { freePort, offline } from "../shared/offline.mjs";
import { pushes } from "./pushes.mjs";

const ports = { websocketPort: await freePort(), lambdaPort: await freePort() };
await offline(fileURLToPath(new URL(".", import.meta.url)), ports, { message: pushes.truth });
