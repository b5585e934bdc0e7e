// Pushes on their way out: counted, and some of them lost, duplicated, held back or early, always the same ones.

/** How long a push is held back at most for the next one to overtake it. */
const LONGEST_HOLD_MS = 1000;

/**
 * All pushes of one kind.
 *
 * The n-th push is lost, duplicated, held back or early where n is a multiple of `loseEvery`, `duplicateEvery`,
 * `reorderEvery` or `earlyEvery`; of several, the first in this order. What is held back leaves behind the next push of
 * the same sender to the same recipient; where none follows in time it leaves late but in order. What is early leaves
 * before its request is answered.
 */
export class Pushes {
    /** What really happened. A push is `reordered` if one of a later request of its sender has left before it. */
    truth = { requests: 0, due: 0, sent: 0, lost: 0, duplicated: 0, reordered: 0, early: 0 };
    #faults;
    #turns = new Map();
    /** By sender and recipient, the push that is held back. */
    #held = new Map();
    /** By sender and recipient, the latest request of which a push has left. */
    #latest = new Map();

    constructor(faults) {
        this.#faults = faults;
    }

    /**
     * Sends the early pushes of a request that has come, and returns what sends the others: to be called once the
     * request is answered. `recipients` are pairs of a name and of what sends the push there; `sequence` tells which
     * requests of the sender came later, where they do not come here in order.
     *
     * Requests of a sender take turns: each waits until the pushes of the one before it are out.
     */
    async begin(sender, recipients, sequence) {
        const done = await this.#turn(sender);
        this.truth.requests += 1;
        const early = [];
        const late = [];
        for (const [recipient, send] of recipients) {
            this.truth.due += 1;
            const pair = JSON.stringify([sender, recipient]);
            const push = { pair, send, sequence: sequence ?? this.truth.requests, copies: 1 };
            if (this.#has("loseEvery")) {
                this.truth.lost += 1;
            } else if (this.#has("duplicateEvery")) {
                this.truth.duplicated += 1;
                late.push(() => this.#leave({ ...push, copies: 2 }));
            } else if (this.#has("reorderEvery")) {
                late.push(() => this.#hold(push));
            } else if (this.#has("earlyEvery")) {
                this.truth.early += 1;
                early.push(() => this.#leave(push));
            } else {
                late.push(() => this.#leave(push));
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
    async #turn(sender) {
        const before = this.#turns.get(sender);
        let done;
        this.#turns.set(sender, new Promise((resolve) => (done = resolve)));
        await before;
        return done;
    }

    /** A push leaves, and behind it the one that was held back for it. */
    async #leave(push) {
        const held = this.#held.get(push.pair);
        this.#held.delete(push.pair);
        // At once: it must not be given up while the push before it is under way.
        clearTimeout(held?.timer);
        await this.#send(push);
        if (held) await this.#send(held.push);
    }

    async #hold(push) {
        if (this.#held.has(push.pair)) {
            await this.#leave(push);
            return;
        }
        const giveUp = () => {
            this.#held.delete(push.pair);
            this.#send(push);
        };
        this.#held.set(push.pair, { push, timer: setTimeout(giveUp, LONGEST_HOLD_MS) });
    }

    async #send({ pair, send, sequence, copies }) {
        const latest = this.#latest.get(pair) ?? sequence;
        if (latest > sequence) this.truth.reordered += 1;
        this.#latest.set(pair, Math.max(latest, sequence));
        for (let copy = 0; copy < copies; copy += 1) {
            this.truth.sent += 1;
            await send();
        }
    }
}
