// Pushes on their way out: counted, and some of them lost, duplicated, held back or early, always the same ones.

/** How long a push is held back at most for the next one to overtake it. */
const LONGEST_HOLD_MS = 1000;

/**
 * All pushes of one kind.
 *
 * The n-th push is lost, duplicated, held back or early where n is a multiple of `loseEvery`, `duplicateEvery`,
 * `reorderEvery` or `earlyEvery`; of several, the first in this order. What is held back leaves behind the next push of
 * the same sender to the same recipient; where none follows in time it leaves late but in order, and is not counted as
 * `reordered`. What is early leaves before its request is answered.
 */
export class Pushes {
    /** What really happened. */
    truth = { requests: 0, due: 0, sent: 0, lost: 0, duplicated: 0, reordered: 0, early: 0 };
    #faults;
    #held = new Map();
    #turns = new Map();

    constructor(faults) {
        this.#faults = faults;
    }

    /**
     * Sends the early pushes of a request that has come, and returns what sends the others: to be called once the
     * request is answered. `recipients` are pairs of a name and of what sends the push there.
     *
     * Requests of a sender take turns: each waits until the pushes of the one before it are out. So nothing overtakes
     * by chance.
     */
    async begin(sender, recipients) {
        const done = await this.#turn(sender);
        this.truth.requests += 1;
        const early = [];
        const late = [];
        for (const [recipient, send] of recipients) {
            this.truth.due += 1;
            const pair = JSON.stringify([sender, recipient]);
            const once = async () => {
                this.truth.sent += 1;
                await send();
            };
            if (this.#has("loseEvery")) {
                this.truth.lost += 1;
            } else if (this.#has("duplicateEvery")) {
                this.truth.duplicated += 1;
                const twice = async () => {
                    await once();
                    await once();
                };
                late.push(() => this.#leave(pair, twice));
            } else if (this.#has("reorderEvery")) {
                late.push(() => this.#hold(pair, once));
            } else if (this.#has("earlyEvery")) {
                this.truth.early += 1;
                early.push(() => this.#leave(pair, once));
            } else {
                late.push(() => this.#leave(pair, once));
            }
        }
        for (const leave of early) await leave();
        return async () => {
            for (const leave of late) await leave();
            done();
        };
    }

    #has(fault) {
        return this.#faults[fault] > 0 && this.truth.due % this.#faults[fault] === 0;
    }

    /** Waits for the sender's turn; what it resolves to ends it. */
    #turn(sender) {
        const before = this.#turns.get(sender);
        const { promise, resolve } = withResolvers();
        this.#turns.set(sender, promise);
        return Promise.resolve(before).then(() => resolve);
    }

    async #leave(pair, send) {
        const held = this.#held.get(pair);
        this.#held.delete(pair);
        await send();
        if (held) {
            clearTimeout(held.timer);
            this.truth.reordered += 1;
            await held.send();
        }
    }

    async #hold(pair, send) {
        if (this.#held.has(pair)) {
            await this.#leave(pair, send);
            return;
        }
        const giveUp = () => {
            this.#held.delete(pair);
            send();
        };
        this.#held.set(pair, { send, timer: setTimeout(giveUp, LONGEST_HOLD_MS) });
    }
}

function withResolvers() {
    let resolve;
    const promise = new Promise((settle) => (resolve = settle));
    return { promise, resolve };
}
