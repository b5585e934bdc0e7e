// The chat sample's behaviour: connections are remembered, and what one sends is posted to all of them as it is.

import process from "node:process";
import { ApiGatewayManagementApiClient, PostToConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";

import { pushes } from "./pushes.mjs";

const client = new ApiGatewayManagementApiClient({ endpoint: process.env.MANAGEMENT_ENDPOINT });
/** What the sample keeps in a table. */
const connections = new Set();

export async function onConnect({ requestContext }) {
    connections.add(requestContext.connectionId);
    return { statusCode: 200, body: "Connected." };
}

export async function onDisconnect({ requestContext }) {
    connections.delete(requestContext.connectionId);
    return { statusCode: 200, body: "Disconnected." };
}

export async function sendMessage({ requestContext, body }) {
    const { data } = JSON.parse(body);
    const everyone = [...connections].map((to) => [to, () => post(to, data)]);
    const late = await pushes.begin(requestContext.connectionId, everyone);
    await late();
    return { statusCode: 200, body: "Data sent." };
}

async function post(to, data) {
    try {
        await client.send(new PostToConnectionCommand({ ConnectionId: to, Data: data }));
    } catch (error) {
        if (error.name !== "GoneException") throw error;
        connections.delete(to);
    }
}
