import { PutCommand } from "@aws-sdk/lib-dynamodb";

import type { Answer, SocketEvent } from "./events";
import { CONNECTIONS, expiry, tables } from "./tables";

/** Who connects: the `token` of the query, or the header `X-Player-Id`. */
function identity({ headers = {}, queryStringParameters }: SocketEvent): string | undefined {
    const header = Object.entries(headers).find(([name]) => name.toLowerCase() === "x-player-id");
    return queryStringParameters?.token ?? header?.[1];
}

export async function handler(event: SocketEvent): Promise<Answer> {
    const playerId = identity(event);
    if (!playerId) return { statusCode: 401, body: "Unauthorized" };
    const { connectionId, domainName: domain, stage } = event.requestContext;
    const Item = { playerId, connectionId, domain, stage, expireAt: expiry() };
    await tables.send(new PutCommand({ TableName: CONNECTIONS, Item }));
    return { statusCode: 200, body: "Connected" };
}
