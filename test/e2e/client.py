#!/usr/bin/env python3
"""A client of the JSON protocol in another language, with nothing but Python's standard library.

usage: client.py WS_URL TOKEN USER_ID CHANNEL_ID GUILD_ID
Goes through every request and provokes the errors that a client can meet; prints one JSON line per step,
and exits with 1 at the first answer that is not what the protocol's documentation says.
"""
import base64
import json
import os
import socket
import struct
import sys
import uuid
from urllib.parse import urlsplit


class WebSocket:
    """RFC 6455, as much of it as a client needs."""

    def __init__(self, url, token, subprotocol=None):
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=30)
        key = base64.b64encode(os.urandom(16)).decode()
        target = parts.path + (("?" + parts.query) if parts.query else "")
        lines = [
            f"GET {target} HTTP/1.1", f"Host: {parts.hostname}:{parts.port}", "Upgrade: websocket",
            "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13",
        ]
        if token:
            lines.append(f"Authorization: Bearer {token}")
        if subprotocol:
            lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = b""
        while b"\r\n\r\n" not in head:
            part = self.socket.recv(4096)
            if not part:
                break
            head += part
        head, _, self.buffer = head.partition(b"\r\n\r\n")
        self.status = int(head.split()[1])

    def send(self, payload, opcode=1):
        if isinstance(payload, str):
            payload = payload.encode()
        mask = os.urandom(4)
        size = len(payload)
        if size < 126:
            header = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
        elif size < 65536:
            header = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
        else:
            header = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self.socket.sendall(header + mask + masked)

    def _read(self, size):
        while len(self.buffer) < size:
            part = self.socket.recv(65536)
            if not part:
                raise EOFError("closed")
            self.buffer += part
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def receive(self):
        """The next text frame as JSON, or ("close", code, reason)."""
        text = b""
        while True:
            first, second = self._read(2)
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack("!H", self._read(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", self._read(8))
            payload = self._read(size)
            opcode = first & 0x0F
            if opcode == 8:
                code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005
                return ("close", code, payload[2:].decode())
            if opcode == 9:
                self.send(payload, 10)
            elif opcode in (0, 1):
                text += payload
                if first & 0x80:
                    return json.loads(text)


class Client:
    def __init__(self, socket_):
        self.socket = socket_
        self.events = []

    def request(self, type_, data, id_=None, metadata=None):
        id_ = id_ or uuid.uuid4().hex
        frame = {"type": type_, "id": id_, "data": data}
        if metadata is not None:
            frame["metadata"] = metadata
        self.socket.send(json.dumps(frame))
        return self.reply(id_)

    def reply(self, id_):
        while True:
            frame = self.socket.receive()
            if isinstance(frame, tuple):
                return frame
            if frame["type"] == "event":
                self.events.append(frame)
            elif frame["id"] == id_:
                return frame
            else:
                fail("a reply to a request that was not made", frame)


def fail(what, got):
    print(json.dumps({"failed": what, "got": got}))
    sys.exit(1)


def step(name, frame, type_, code=None):
    if isinstance(frame, tuple) or frame["type"] != type_:
        fail(f"{name}: expected {type_}", frame)
    if code is not None and frame["data"]["code"] != code:
        fail(f"{name}: expected the code {code}", frame)
    if code is not None and (not frame["error"] or "message_id" not in frame):
        fail(f"{name}: an error without its sentence or message_id", frame)
    print(json.dumps({"step": name, "type": frame["type"], "code": code}))
    return frame


def fill_and_cancel(client, session):
    """More messages than may wait in one conversation, then a stop: each request still gets exactly one reply."""
    ids = [f"p{n}" for n in range(12)]
    for id_ in ids:
        client.socket.send(json.dumps({
            "type": "process", "id": id_, "data": {"session_id": session, "message": "Tell me about " + "ships " * 50},
        }))
    client.socket.send(json.dumps({"type": "cancel", "id": "stop", "data": {"session_id": session}}))
    codes = {}
    while len(codes) < len(ids) + 1:
        frame = client.socket.receive()
        if isinstance(frame, tuple):
            fail("the socket was closed while turns were under way", frame)
        if frame["type"] == "event":
            continue
        if frame["id"] in codes:
            fail("a request got two replies", frame)
        codes[frame["id"]] = frame["data"]["code"] if frame["type"] == "error" else frame["type"]
    for code in ("queue_full", "cancelled"):
        if code not in codes.values():
            fail(f"no request was answered {code}", codes)
        print(json.dumps({"step": "a full queue and a stop", "type": "error", "code": code}))


def main():
    url, token, user, channel, guild, elsewhere = sys.argv[1:7]
    refused = WebSocket(url, None)
    if refused.status != 401:
        fail("without a token the status should be 401", refused.status)
    odd = WebSocket(url, token, subprotocol="nonsense")
    if odd.status != 400:
        fail("an unknown subprotocol should be answered with 400", odd.status)

    client = Client(WebSocket(url, token))
    where = {"user_id": user, "channel_id": channel, "guild_id": guild}
    opened = step("initialize", client.request("initialize", where, metadata={"trace": 7}), "initialize")
    if opened.get("metadata") != {"trace": 7}:
        fail("metadata should come back unchanged", opened)
    session = opened["data"]["session_id"]
    if not {"available_tools", "tools", "context", "token", "expires_at"} <= set(opened["data"]):
        fail("initialize lacks a field", opened)

    called = step("tool_call", client.request("tool_call", {
        "session_id": session, "tool_name": "discord_channel_info", "arguments": {},
    }), "tool_result")
    if called["data"]["tool_name"] != "discord_channel_info":
        fail("tool_result names another tool", called)

    updated = step("context_update", client.request("context_update", {
        "session_id": session, "user_preferences": {"name": "Captain"},
    }), "context_update")
    if updated["data"]["context"]["user_preferences"] != {"name": "Captain"}:
        fail("the preferences were not kept", updated)

    key = {"idempotency_key": uuid.uuid4().hex}
    answer = step("process", client.request("process", {
        "session_id": session, "message": "What is this channel?",
    }, metadata=key), "response")
    kinds = [event["data"]["event"]["type"] for event in client.events]
    for kind in ("turn_started", "tool_started", "tool_finished", "text_delta", "turn_finished"):
        if kind not in kinds:
            fail(f"no {kind} event arrived", kinds)
    seqs = [event["data"]["seq"] for event in client.events]
    if seqs != sorted(set(seqs)):
        fail("sequence numbers should rise", seqs)
    again = step("process again", client.request("process", {
        "session_id": session, "message": "What is this channel?",
    }, metadata=key), "response")
    if again["data"]["turn_id"] != answer["data"]["turn_id"]:
        fail("the idempotency key should give the same turn", again)
    step("cancel", client.request("cancel", {"session_id": session}), "response")

    errors = [
        ("unknown type", "dance", {}, "unknown_type"),
        ("bad data", "initialize", {"user_id": 7}, "invalid_data"),
        ("unknown session", "process", {"session_id": "none", "message": "hi"}, "session_not_found"),
        ("taken session", "initialize", {**where, "session_id": session, "channel_id": elsewhere}, "session_conflict"),
        ("unknown tool", "tool_call", {"session_id": session, "tool_name": "fly", "arguments": {}}, "unknown_tool"),
        ("bad arguments", "tool_call", {"session_id": session, "tool_name": "discord_message_history", "arguments": {"limit": 5000}}, "invalid_arguments"),
        ("another channel", "tool_call", {"session_id": session, "tool_name": "discord_channel_info", "arguments": {"channel_id": "99999999999999999"}}, "not_found"),
        ("empty message", "process", {"session_id": session, "message": "  "}, "invalid_data"),
        ("other key, same name", "process", {"session_id": session, "message": "Something else"}, "idempotency_conflict"),
        ("no approval", "approve", {"session_id": session, "approval_id": "none", "approved": True}, "approval_not_found"),
    ]
    for name, type_, data, code in errors:
        metadata = key if code == "idempotency_conflict" else None
        step(name, client.request(type_, data, metadata=metadata), "error", code)
    step("nowhere", client.request("initialize", {**where, "channel_id": "99999999999999999"}), "error", "not_found")
    asking = {"session_id": session, "tool_name": "discord_user_message", "arguments": {"content": "Ahoy"}}
    asked = step("a call that asks", client.request("tool_call", asking), "error", "approval_required")
    approval = asked["data"]["approval_id"]
    step("its approval", client.request("approve", {
        "session_id": session, "approval_id": approval, "approved": True,
    }), "response")
    step("the call with it", client.request("tool_call", {**asking, "approval_id": approval}), "tool_result")
    step("and once only", client.request("tool_call", {**asking, "approval_id": approval}), "error", "approval_not_found")
    limited = client.request("context_update", {"session_id": session, "active_tools": ["discord_user_lookup"]})
    step("narrowed", limited, "context_update")
    step("inactive tool", client.request("tool_call", {
        "session_id": session, "tool_name": "discord_channel_info", "arguments": {},
    }), "error", "tool_inactive")

    frames = [
        ("no JSON", "{nonsense", 1, "", "invalid_json"),
        ("no envelope", "[1,2]", 1, "", "invalid_envelope"),
        ("no envelope, with id", '{"id":"e1","data":{}}', 1, "e1", "invalid_envelope"),
        ("binary", b"\x00\x01", 2, "", "binary_frame"),
        ("too deep", '{"type":"process","id":"d1","data":' + '{"a":' * 200 + "1" + "}" * 201, 1, "d1", "payload_too_large"),
        ("too large", json.dumps({"type": "process", "id": "l1", "data": {"message": "x" * 70000}}), 1, "l1", "payload_too_large"),
    ]
    for name, payload, opcode, id_, code in frames:
        client.socket.send(payload, opcode)
        frame = client.socket.receive()
        step(name, frame, "error", code)
    step("still open", client.request("context_update", {"session_id": session, "active_tools": []}), "context_update")

    client.socket.send('{"jsonrpc":"2.0","id":1,"method":"ping"}')
    step("the other dialect", client.socket.receive(), "error", "wrong_protocol")
    step("no such turn", client.request("cancel", {"session_id": session, "turn_id": "none"}), "error", "turn_not_found")

    other = step("another session", client.request("initialize", {**where, "channel_id": elsewhere}), "initialize")
    bound = Client(WebSocket(url, opened["data"]["token"]))
    step("a session token on another session", bound.request("process", {
        "session_id": other["data"]["session_id"], "message": "hi",
    }), "error", "forbidden")
    fill_and_cancel(client, other["data"]["session_id"])

    client.socket.send("x" * (1024 * 1024 + 1))
    closed = client.socket.receive()
    if not (isinstance(closed, tuple) and closed[1] in (1009, 1006)):
        fail("a frame of over 1 MiB should close with 1009", closed)
    print(json.dumps({"done": True}))


main()
