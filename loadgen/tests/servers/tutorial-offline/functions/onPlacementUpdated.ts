import { unmarshall } from "@aws-sdk/util-dynamodb";

import type { StreamEvent } from "./events";
import { push } from "./push";

/** Pushes placements to their players once they are settled. */
export async function handler({ Records }: StreamEvent): Promise<void> {
    for (const { eventName, dynamodb } of Records) {
        if (eventName !== "MODIFY") continue;
        const item = unmarshall(dynamodb.NewImage);
        await push(item.player, item);
    }
}
