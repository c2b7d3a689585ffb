export interface SocketClient extends Disposable {
  send(frame: string): void;
  /** Sends a frame, and resolves with the next that comes. One at a time. */
  ask(frame: string): Promise<string>;
}

/** `address` begins with the port. */
export async function openSocket(address: string, token: string, protocols: string[]): Promise<SocketClient> {
  const headers = { authorization: `Bearer ${token}` };
  const socket = new WebSocket(`ws://127.0.0.1:${address}`, { headers, protocols });
  let waiting = Promise.withResolvers<string>();
  const opened = Promise.withResolvers<void>();
  socket.onopen = () => opened.resolve();
  socket.onmessage = ({ data }) => waiting.resolve(String(data));
  socket.onclose = ({ code }) => {
    opened.reject(new Error(`closed with ${code}`));
    waiting.reject(new Error(`closed with ${code}`));
  };
  await opened.promise;
  return {
    send: (frame: string) => socket.send(frame),
    ask(frame: string) {
      waiting = Promise.withResolvers();
      socket.send(frame);
      return waiting.promise;
    },
    [Symbol.dispose]() {
      waiting.promise.catch(() => {});
      socket.close();
    },
  };
}
