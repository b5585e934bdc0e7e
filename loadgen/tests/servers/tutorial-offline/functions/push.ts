import {
    ApiGatewayManagementApiClient,
    GoneException,
    PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";

import { connectionOf } from "./tables";

const clients = new Map<string, ApiGatewayManagementApiClient>();

function clientOf(endpoint: string): ApiGatewayManagementApiClient {
    let client = clients.get(endpoint);
    if (!client) {
        client = new ApiGatewayManagementApiClient({ endpoint });
        clients.set(endpoint, client);
    }
    return client;
}

/** Posts an item to a player's socket; a player who is not there misses it. */
export async function push(playerId: string, item: object): Promise<void> {
    const connection = await connectionOf(playerId);
    if (!connection) return;
    const client = clientOf(process.env.MANAGEMENT_ENDPOINT ?? `https://${connection.domain}/${connection.stage}`);
    try {
        const { connectionId } = connection;
        await client.send(new PostToConnectionCommand({ ConnectionId: connectionId, Data: JSON.stringify(item) }));
    } catch (error) {
        if (!(error instanceof GoneException)) throw error;
    }
}
