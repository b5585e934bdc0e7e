import { DeleteCommand } from "@aws-sdk/lib-dynamodb";

import type { Answer, SocketEvent } from "./events";
import { playerOf } from "./player";
import { CONNECTIONS, tables } from "./tables";

export async function handler({ requestContext }: SocketEvent): Promise<Answer> {
    const playerId = await playerOf(requestContext.connectionId);
    if (playerId) await tables.send(new DeleteCommand({ TableName: CONNECTIONS, Key: { playerId } }));
    return { statusCode: 200, body: "Disconnected" };
}
