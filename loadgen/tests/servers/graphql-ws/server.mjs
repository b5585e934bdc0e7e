// `graphql-ws` with a schema for a chat: a mutation says something, a subscription hears all that is said.

import { createServer } from "node:http";
import { GraphQLBoolean, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, GraphQLString } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";

import { Pushes } from "../shared/pushes.mjs";
import { listen, options, ready } from "../shared/server.mjs";

const { faults, token } = options({ token: "" });
const pushes = new Pushes(faults);
/** The queues of those who listen, by their context. */
const listeners = new Map();
/** What is left to push once a mutation is answered, by the context of its socket and its id. */
const unfinished = new Map();

/** What somebody who listens has not heard yet. */
class Queue {
    #texts = [];
    #wake = () => {};
    #open = true;

    put(text) {
        this.#texts.push(text);
        this.#wake();
    }

    close() {
        this.#open = false;
        this.#wake();
    }

    async *heard() {
        while (this.#open) {
            while (this.#texts.length > 0) yield { said: this.#texts.shift() };
            await new Promise((resolve) => (this.#wake = resolve));
        }
    }
}

/** Until what has been put into queues is on its way. */
const flushed = () => new Promise(setImmediate);

const schema = new GraphQLSchema({
    query: new GraphQLObjectType({ name: "Query", fields: { version: { type: GraphQLString, resolve: () => "1" } } }),
    mutation: new GraphQLObjectType({
        name: "Mutation",
        fields: {
            say: {
                type: GraphQLBoolean,
                args: { text: { type: new GraphQLNonNull(GraphQLString) } },
                resolve: async (_, { text }, { socket, id }) => {
                    const everyone = [...listeners].map(([who, queue]) => [who.number, () => queue.put(text)]);
                    const late = await pushes.begin(socket.number, everyone);
                    await flushed();
                    unfinished.set(`${socket.number} ${id}`, late);
                    return true;
                },
            },
        },
    }),
    subscription: new GraphQLObjectType({
        name: "Subscription",
        fields: {
            said: {
                type: GraphQLString,
                subscribe: (_, __, { socket }) => {
                    const queue = new Queue();
                    listeners.set(socket, queue);
                    return queue.heard();
                },
            },
        },
    }),
});

const http = createServer();
const sockets = new WebSocketServer({ server: http, path: "/graphql" });
let connections = 0;
useServer(
    {
        schema,
        context: ({ extra }, id) => ({ socket: extra.socket, id }),
        onConnect: ({ connectionParams, extra }) => {
            if (token !== "" && connectionParams?.token !== token) return extra.socket.close(4401, "Unauthorized");
            extra.socket.number = ++connections;
        },
        // After the answer, before the message that says that no other follows.
        onComplete: async ({ extra }, id) => {
            const key = `${extra.socket.number} ${id}`;
            const late = unfinished.get(key);
            unfinished.delete(key);
            await late?.();
        },
        onClose: ({ extra }) => {
            listeners.get(extra.socket)?.close();
            listeners.delete(extra.socket);
        },
    },
    sockets,
);
await ready(`ws://127.0.0.1:${await listen(http)}/graphql`, { message: pushes.truth });
