import { QueryCommand } from "@aws-sdk/lib-dynamodb";

import { CONNECTIONS, tables } from "./tables";

/** Whose connection it is. */
export async function playerOf(connectionId: string): Promise<string | undefined> {
    const { Items } = await tables.send(
        new QueryCommand({
            TableName: CONNECTIONS,
            IndexName: "ConnectionIdIndex",
            KeyConditionExpression: "connectionId = :connectionId",
            ExpressionAttributeValues: { ":connectionId": connectionId },
        }),
    );
    return Items?.[0]?.playerId;
}
