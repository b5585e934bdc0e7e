import { unmarshall } from "@aws-sdk/util-dynamodb";

import type { StreamEvent } from "./events";
import { push } from "./push";

/** Pushes messages to their recipients as they are stored. */
export async function handler({ Records }: StreamEvent): Promise<void> {
    for (const { eventName, dynamodb } of Records) {
        if (eventName !== "INSERT") continue;
        const item = unmarshall(dynamodb.NewImage);
        await push(item.recipient, item);
    }
}
