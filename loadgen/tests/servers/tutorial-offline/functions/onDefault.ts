import type { Answer, SocketEvent } from "./events";

/** An action that there is not. */
export async function handler({ body }: SocketEvent): Promise<Answer> {
    let action: unknown;
    try {
        ({ action } = JSON.parse(body ?? "{}"));
    } catch {
        // It is no JSON, so it names none.
    }
    return { statusCode: 404, body: `Route [${action}] Not Found` };
}
