import { randomUUID } from "node:crypto";
import { PutCommand } from "@aws-sdk/lib-dynamodb";

import type { Answer, SocketEvent } from "./events";
import { playerOf } from "./player";
import { PLACEMENTS, expiry, tables } from "./tables";

/** Asks for a place in a game session: stored as pending, and pushed once somebody has settled it. */
export async function handler({ requestContext }: SocketEvent): Promise<Answer> {
    const player = await playerOf(requestContext.connectionId);
    if (!player) return { statusCode: 500, body: "Placement Failed [no player]" };
    const ticket = randomUUID();
    const Item = { ticket, player, state: "PENDING", expireAt: expiry() };
    await tables.send(new PutCommand({ TableName: PLACEMENTS, Item }));
    return { statusCode: 200, body: JSON.stringify({ ticket }) };
}
