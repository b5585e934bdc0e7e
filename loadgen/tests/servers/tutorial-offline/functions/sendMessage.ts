import { randomUUID } from "node:crypto";
import { BatchGetCommand, BatchWriteCommand } from "@aws-sdk/lib-dynamodb";

import type { Answer, SocketEvent } from "./events";
import { playerOf } from "./player";
import { CONNECTIONS, MESSAGES, expiry, tables } from "./tables";

/** Stores a message for each recipient who is there; its insertion is what pushes it. */
export async function handler({ requestContext, body }: SocketEvent): Promise<Answer> {
    // To the microsecond: messages of one player often come within a millisecond.
    const sentAt = performance.timeOrigin + performance.now();
    const request = JSON.parse(body ?? "{}");
    if (!Array.isArray(request.to)) return { statusCode: 400, body: "Missing Params [to(array)]" };
    if (typeof request.body !== "string") return { statusCode: 400, body: "Missing Params [body(string)]" };

    const Keys = [...new Set<string>(request.to)].map((playerId) => ({ playerId }));
    const [sender, { Responses }] = await Promise.all([
        playerOf(requestContext.connectionId),
        tables.send(new BatchGetCommand({ RequestItems: { [CONNECTIONS]: { Keys } } })),
    ]);
    const requests = (Responses?.[CONNECTIONS] ?? []).map(({ playerId: recipient }) => ({
        PutRequest: {
            Item: { itemId: randomUUID(), recipient, sender, body: request.body, sentAt, expireAt: expiry() },
        },
    }));
    if (requests.length > 0) {
        await tables.send(new BatchWriteCommand({ RequestItems: { [MESSAGES]: requests } }));
    }
    return { statusCode: 200, body: "Message(s) Sent" };
}
