"""A backend as readers of the tutorial build it, in one process: plain answers in order, stored items as pushes.

The player's id is the `token` of the handshake's query, or its header `X-Player-Id`. Actions are `sendMessage` and
`requestPlacement`; what is pushed is the item as it lies in its table. The requests of the reference protocol are
understood, too, and answered and pushed no differently: as by a backend that was only built along the same lines. Pushes may be lost, duplicated, held back or
early (see `Pushes`), and `GET /truth` on the control address tells what really happened.
"""

import argparse
import asyncio
import json
import os
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

# How long a push is held back at most for the next one to overtake it.
LONGEST_HOLD = 1.0
# How long GameLift takes to place a player.
PLACEMENT_TIME = 0.02


class Held(NamedTuple):
    """A push that is held back: what sends it, and what does so when it has waited long enough."""

    send: Callable[[], Awaitable[None]]
    timer: asyncio.TimerHandle


class Pushes:
    """All pushes of one kind, counted.

    The n-th push is lost, duplicated, held back or early where n is a multiple of the number given for it; of several,
    the first in this order. What is held back leaves behind the next push of the same sender to the same recipient;
    where none follows in time it leaves late but in order, and is not counted as reordered. What is early leaves before
    its request is answered. Only pushes with a recipient other than the sender are held back: the others have no order.
    """

    def __init__(self, faults):
        self.faults = faults
        self.truth = dict.fromkeys(("requests", "due", "sent", "lost", "duplicated", "reordered", "early"), 0)
        self.held = {}

    def of(self, sender, recipients):
        """The pushes of a request: those that leave before its answer, and those that leave after it.

        `recipients` are pairs of a player and of what sends the push there.
        """
        self.truth["requests"] += 1
        early, late = [], []
        for recipient, send in recipients:
            self.truth["due"] += 1
            pair = (sender, recipient)
            if self.has("lose_every"):
                self.truth["lost"] += 1
            elif self.has("duplicate_every"):
                self.truth["duplicated"] += 1
                late.append(self.leave(pair, send, copies=2))
            elif self.has("reorder_every") and sender != recipient:
                late.append(self.hold(pair, send))
            elif self.has("early_every"):
                self.truth["early"] += 1
                early.append(self.leave(pair, send))
            else:
                late.append(self.leave(pair, send))
        return early, late

    def has(self, fault):
        every = self.faults[fault]
        return every > 0 and self.truth["due"] % every == 0

    async def leave(self, pair, send, copies=1):
        held = self.held.pop(pair, None)
        if held:
            # At once: it must not be given up while the push before it is under way.
            held.timer.cancel()
        for _ in range(copies):
            self.truth["sent"] += 1
            await send()
        if held:
            self.truth["reordered"] += 1
            await self.leave_held(held)

    async def hold(self, pair, send):
        if pair in self.held:
            await self.leave(pair, send)
            return

        def give_up():
            keep(asyncio.ensure_future(self.leave_held(self.held.pop(pair))))

        timer = asyncio.get_running_loop().call_later(LONGEST_HOLD, give_up)
        self.held[pair] = Held(send, timer)

    async def leave_held(self, held):
        self.truth["sent"] += 1
        await held.send()


class Backend:
    def __init__(self, faults):
        self.messages = Pushes(faults)
        self.placements = Pushes(faults)
        self.connections = {}

    async def player(self, connection):
        """A player's connection, from its opening to its end."""
        player = identity(connection.request)
        self.connections[player] = connection
        try:
            async for frame in connection:
                await self.request(player, connection, frame)
        except ConnectionClosed:
            pass
        finally:
            if self.connections.get(player) is connection:
                del self.connections[player]

    async def request(self, player, connection, frame):
        try:
            body = json.loads(frame)
        except ValueError:
            body = {}
        match body.get("action", body.get("route")):
            case "sendMessage" if "route" in body:
                inner = body["body"]
                await self.send_message(player, connection, {"to": inner["playerIds"], "body": inner["message"]})
            case "sendMessage":
                await self.send_message(player, connection, body)
            case "requestPlacement" | "sessionPlacementRequest":
                await self.place(player, connection)
            case action:
                await connection.send(f"Route [{action}] Not Found")

    async def send_message(self, player, connection, body):
        if not isinstance(body.get("to"), list):
            await connection.send("Missing Params [to(array)]")
            return
        if not isinstance(body.get("body"), str):
            await connection.send("Missing Params [body(string)]")
            return
        # Each once, and those who are not there are skipped.
        there = [recipient for recipient in dict.fromkeys(body["to"]) if recipient in self.connections]

        def item(recipient):
            return stored(itemId=new_id(), recipient=recipient, sender=player, body=body["body"])

        early, late = self.messages.of(player, [(each, self.push(each, item(each))) for each in there])
        for leave in early:
            await leave
        await connection.send("Message(s) Sent")
        for leave in late:
            await leave

    async def place(self, player, connection):
        ticket = new_id()
        item = stored(ticket=ticket, player=player, state="READY", address="203.0.113.7", port=7777)
        early, late = self.placements.of(player, [(player, self.push(player, item))])
        for leave in early:
            await leave
        await connection.send(json.dumps({"ticket": ticket}))

        async def placed():
            await asyncio.sleep(PLACEMENT_TIME)
            for leave in late:
                await leave

        keep(asyncio.create_task(placed()))

    def push(self, player, item):
        """What sends an item to a player who is then there."""

        async def send():
            if player in self.connections:
                try:
                    await self.connections[player].send(json.dumps(item))
                except ConnectionClosed:
                    pass

        return send

    def truth(self):
        return {"message": self.messages.truth, "placement": self.placements.truth}


running = set()


def keep(task):
    """Keeps a task until it is done: the event loop itself holds it by a weak reference only."""
    running.add(task)
    task.add_done_callback(running.discard)


def new_id():
    return str(uuid.uuid4())


def stored(**attributes):
    """An item with the end of its life."""
    return attributes | {"expireAt": int(time.time()) + 3600}


def identity(request):
    token = parse_qs(urlsplit(request.path).query).get("token")
    return token[0] if token else request.headers.get("X-Player-Id")


def authorize(connection, request):
    """What `$connect` does: nobody is let in without an id."""
    if identity(request) is None:
        return connection.respond(401, "Unauthorized\n")
    return None


def faults():
    parser = argparse.ArgumentParser(description=__doc__)
    for fault in ("lose", "duplicate", "reorder", "early"):
        parser.add_argument(f"--{fault}-every", type=int, default=0, metavar="N")
    return vars(parser.parse_args())


async def main():
    backend = Backend(faults())

    def control(connection, request):
        if request.path == "/truth":
            return connection.respond(200, json.dumps(backend.truth()))
        return connection.respond(404, "Not Found\n")

    async with (
        serve(backend.player, "127.0.0.1", 0, process_request=authorize, compression=None) as players,
        serve(backend.player, "127.0.0.1", 0, process_request=control) as truth,
    ):
        address = {
            "websocket": f"ws://127.0.0.1:{port(players)}/Development",
            "control": f"http://127.0.0.1:{port(truth)}/",
        }
        print(json.dumps(address), flush=True)
        # Ends with whoever started it, whatever is under way.
        await asyncio.to_thread(sys.stdin.read)
        os._exit(0)


def port(server):
    return server.sockets[0].getsockname()[1]


asyncio.run(main())
