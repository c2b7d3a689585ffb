/** The least that could be started: compiled like the product, by its bench. */
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: (request, self) => (self.upgrade(request) ? undefined : new Response("hello")),
  websocket: { message: (socket, frame) => void socket.send(frame) },
});
process.stderr.write(`listening on ${server.url}\n`);
