import { temporaryFolder } from "./folder.ts";
import { numberOf, type Part, startPart, textOf } from "./parts.ts";
import { type Bench, median } from "./report.ts";
import { alternate } from "./rounds.ts";

const connections = 32;
const rounds = 7;
const roundMs = 1500;

export const socket: Bench = {
  name: "socket",
  about: `tool_call round trips on /mcp/ws with a tool that gives its argument back, ${connections} connections with one request each under way, authentication and audit log on, against a bare Bun.serve WebSocket that parses and answers the same JSON (${rounds} rounds of ${roundMs / 1000} s). Server and clients are processes of their own.`,
  async run() {
    await using folder = await temporaryFolder();
    const ours = new URL("./socket-ours.ts", import.meta.url);
    await using service = await startPart(ours, { folder: folder.path });
    await using bare = await startPart(new URL("./socket-floor.ts", import.meta.url));
    const callers = { ours: await connectAll(service), floor: await connectAll(bare) };
    const processor = { ours: [] as number[], floor: [] as number[] };

    const measure = (side: keyof typeof callers, server: Part) => async () => {
      const before = numberOf(await server.ask("processor"), "ms");
      const began = performance.now();
      const calls = await callAll(callers[side]);
      const perSecond = calls / ((performance.now() - began) / 1000);
      const spent = numberOf(await server.ask("processor"), "ms") - before;
      processor[side].push((spent / calls) * 1000);
      return perSecond;
    };
    const rates = await alternate(rounds, {
      ours: measure("ours", service),
      floor: measure("floor", bare),
    });
    const floorIs = "bare Bun.serve";
    // The first round is thrown away here, too.
    const cost = { ours: median(processor.ours.slice(1)), floor: median(processor.floor.slice(1)) };
    return [
      { what: "tool_call round trips", unit: "per second", ...rates, floorIs, goal: "at least 0.6" },
      { what: "the server's processor time of a round trip", unit: "µs", ...cost, floorIs, goal: "" },
    ];
  },
};

interface Caller {
  readonly socket: WebSocket;
  readonly request: string;
}

async function connectAll({ facts }: Part): Promise<readonly Caller[]> {
  const headers = { authorization: `Bearer ${textOf(facts, "token")}` };
  return Promise.all(
    Array.from({ length: connections }, async (_, n): Promise<Caller> => {
      const socket = new WebSocket(textOf(facts, "url"), { headers });
      const reply = Promise.withResolvers<string>();
      socket.onmessage = ({ data }) => reply.resolve(String(data));
      socket.onclose = ({ code }) => reply.reject(new Error(`closed with ${code}`));
      await new Promise((resolve) => socket.addEventListener("open", resolve, { once: true }));
      const data = {
        user_id: "100000000000000000",
        channel_id: String(200_000_000_000_000_000n + BigInt(n)),
      };
      socket.send(JSON.stringify({ type: "initialize", id: "i", data }));
      const { session_id } = JSON.parse(await reply.promise).data;
      const call = {
        session_id,
        tool_name: "noop",
        arguments: { text: "Nothing is done with these few words." },
      };
      return { socket, request: JSON.stringify({ type: "tool_call", id: `c${n}`, data: call }) };
    }),
  );
}

/** Each asks again as soon as it is answered, until the time is up. Gives the number of answers. */
async function callAll(callers: readonly Caller[]): Promise<number> {
  const until = performance.now() + roundMs;
  const counts = await Promise.all(
    callers.map(({ socket, request }) => {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      let calls = 0;
      socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
      socket.onmessage = ({ data }) => {
        // The client must not be what is measured, so it looks at the beginning only.
        if (!String(data).startsWith('{"type":"tool_result"')) reject(new Error(String(data)));
        calls++;
        if (performance.now() < until) socket.send(request);
        else resolve(calls);
      };
      socket.send(request);
      return promise;
    }),
  );
  return counts.reduce((sum, calls) => sum + calls, 0);
}
