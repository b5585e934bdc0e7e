import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";

export const tables = DynamoDBDocumentClient.from(new DynamoDBClient({}));

/** Where a player can be reached. */
export interface Connection {
    playerId: string;
    connectionId: string;
    domain: string;
    stage: string;
    expireAt: number;
}

export const CONNECTIONS = process.env.CONNECTIONS_TABLE!;
export const MESSAGES = process.env.MESSAGES_TABLE!;
export const PLACEMENTS = process.env.PLACEMENTS_TABLE!;

/** When an item that is written now may go. */
export function expiry(): number {
    return Math.floor(Date.now() / 1000) + 24 * 60 * 60;
}

export async function connectionOf(playerId: string): Promise<Connection | undefined> {
    const { Item } = await tables.send(new GetCommand({ TableName: CONNECTIONS, Key: { playerId } }));
    return Item as Connection | undefined;
}
