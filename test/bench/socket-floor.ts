import { servePart } from "./parts.ts";
import { processor } from "./processes.ts";

/** The least that could answer the same requests: no authentication, no checks, nothing written down. */
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: (request, self) => (self.upgrade(request) ? undefined : new Response(null, { status: 400 })),
  websocket: {
    message(socket, frame) {
      const { type, id, data } = JSON.parse(String(frame));
      if (type === "initialize") {
        socket.send(JSON.stringify({ type, id, data: { session_id: "s_floor" } }));
        return;
      }
      const { session_id, tool_name, arguments: result } = data;
      socket.send(JSON.stringify({ type: "tool_result", id, data: { session_id, tool_name, result } }));
    },
  },
});
servePart({ url: `ws://127.0.0.1:${server.port}`, token: "" }, { processor });
