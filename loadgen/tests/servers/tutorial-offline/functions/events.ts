/** What API Gateway hands to a function of a WebSocket API; of `$connect` alone it has headers and a query. */
export interface SocketEvent {
    requestContext: { connectionId: string; domainName: string; stage: string; routeKey: string };
    headers?: Record<string, string>;
    queryStringParameters?: Record<string, string>;
    body?: string;
}

/** What a function answers. */
export interface Answer {
    statusCode: number;
    body: string;
}

/** What the stream of a table hands to a function. */
export interface StreamEvent {
    Records: { eventName: string; dynamodb: { NewImage: Record<string, { S: string } | { N: string }> } }[];
}
