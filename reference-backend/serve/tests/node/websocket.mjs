// The npm package `ws`, used as scripts use it: by events.

import assert from "node:assert/strict";
import { once } from "node:events";
import WebSocket from "ws";

const { websocket: url, identity } = JSON.parse(process.env.ENDPOINTS);

async function token(playerId) {
  const body = JSON.stringify({ playerId });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${identity}/token`, { method: "POST", headers, body });
  return (await answer.json()).token;
}

// Status of a handshake that must fail.
async function refusal(url, ...more) {
  const [request, response] = await once(new WebSocket(url, ...more), "unexpected-response");
  request.destroy();
  return response.statusCode;
}

const cases = {
  // As a k6 script goes: handlers for open, message, pong and close, a timer for pings.
  async events() {
    const socket = new WebSocket(url, { headers: { Authorization: `Bearer ${await token("eve")}` } });
    const seen = { messages: [], pongs: 0 };
    let pings;
    socket.on("open", () => {
      pings = setInterval(() => socket.ping("beat"), 20);
      const body = { playerIds: ["eve"], message: "hi" };
      socket.send(JSON.stringify({ route: "sendMessage", id: 1, body }));
    });
    socket.on("pong", (data) => {
      assert.equal(data.toString(), "beat");
      seen.pongs += 1;
    });
    socket.on("message", (data, binary) => {
      assert.equal(binary, false);
      seen.messages.push(JSON.parse(data));
    });
    while (seen.messages.length < 2 || seen.pongs < 3) await new Promise((go) => setTimeout(go, 10));
    clearInterval(pings);
    const of = (type) => seen.messages.find((message) => message.type === type);
    assert.deepEqual(of("ack"), { type: "ack", id: 1, statusCode: 200, body: "Message(s) Sent" });
    assert.equal(of("message").senderId, "eve");
    socket.close(1000, "done");
    const [code] = await once(socket, "close");
    assert.equal(code, 1000);
  },

  // What clients offer or add without being asked.
  async offers() {
    const good = await token("eve");
    const cookie = "c".repeat(8_000);
    for (const [target, options] of [
      [`${url}?token=${good}`, {}],
      [`${url}/?token=${good}`, { perMessageDeflate: true }],
      [`${url}?a=b&token=${good}&c=%20d`, { perMessageDeflate: false, origin: "https://game.example" }],
      [url, { headers: { authorization: `bearer ${good}`, Cookie: cookie } }],
      [`${url}?token=${good}`, { skipUTF8Validation: true, maxPayload: 1 << 20, followRedirects: true }],
    ]) {
      const socket = new WebSocket(target, options);
      await once(socket, "open");
      assert.equal(socket.extensions, "", "no compression is agreed on");
      socket.send(JSON.stringify({ route: "nowhere" }));
      const [data] = await once(socket, "message");
      assert.equal(data.toString(), "Route [nowhere] Not Found");
      socket.close();
      await once(socket, "close");
    }
    assert.equal(await refusal(url), 401);
    assert.equal(await refusal(`${url}?token=nonsense`), 403);
    assert.equal(await refusal(url, { headers: { Cookie: "c".repeat(20_000) } }), 431);
    // `$connect` names no subprotocol, so none is agreed on, which this client takes for a failure; as on AWS.
    const [error] = await once(new WebSocket(`${url}?token=${good}`, ["chat"]), "error");
    assert.match(error.message, /no subprotocol/);
  },

  // Every way to end a connection.
  async farewells() {
    const open = async () => {
      const socket = new WebSocket(`${url}?token=${await token("eve")}`);
      await once(socket, "open");
      return socket;
    };
    for (const [given, expected] of [[[], 1005], [[1000], 1000], [[4001, "bye"], 4001]]) {
      const socket = await open();
      socket.close(...given);
      const [code] = await once(socket, "close");
      assert.equal(code, expected);
    }
    for (const [frame, expected] of [[Buffer.from([0]), 1003], ["x".repeat(40_000), 1009]]) {
      const socket = await open();
      socket.send(frame);
      const [code] = await once(socket, "close");
      assert.equal(code, expected);
    }
    const socket = await open();
    socket.terminate();
    await once(socket, "close");
    (await open()).close();
  },
};

await cases[process.argv[2]]();
process.exit();
