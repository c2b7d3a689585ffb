import {
  ProtocolError,
  ProtocolErrorCode,
  type Server,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { answered } from "./answered.ts";
import type { Exchange, McpCaller } from "./ports.ts";
import type { Surface } from "./surface.ts";

/** Resources that one subscription names. */
const maxUris = 64;

const Listen = Compile(
  Type.Object({
    params: Type.Object({
      notifications: Type.Object({
        resourceSubscriptions: Type.Optional(Type.Array(Type.String({ maxLength: 200 }))),
      }),
    }),
  }),
);

/** The resources that a `subscriptions/listen` names; what it is besides is for the server package to judge. */
export function listenedUris(message: unknown): readonly string[] {
  return Listen.Check(message) ? (message.params.notifications.resourceSubscriptions ?? []) : [];
}

/**
 * Begins to watch resources, all or none; returns what ends it. Throws ProtocolError for what is no resource that can
 * be watched, or what reading it gives: who may not read is told nothing.
 */
export async function watchAll(
  surface: Pick<Surface, "watch">,
  uris: readonly string[],
  caller: McpCaller,
  tell: (uri: string) => void,
  signal: AbortSignal,
): Promise<() => void> {
  if (uris.length > maxUris) throw tooMany();
  const ends: (() => void)[] = [];
  const endAll = () => {
    for (const end of ends.splice(0)) end();
  };
  try {
    for (const uri of new Set(uris)) {
      const watch = surface.watch(uri, caller, tell, signal);
      if (watch === null)
        throw new ProtocolError(
          ProtocolErrorCode.InvalidParams,
          "That cannot be watched; messages of channels can: discord://channels/{channel_id}/messages.",
          { uri },
        );
      ends.push(await watch);
    }
  } catch (error) {
    endAll();
    throw error;
  }
  return endAll;
}

/** Those of the 2025 revisions; in the newer one `subscriptions/listen` is met before a server is. */
export function setSubscriptions(
  server: Server,
  surface: Pick<Surface, "watch">,
  exchange: (context: ServerContext) => Promise<Exchange>,
): void {
  const ends = new Map<string, () => void>();
  const end = (uri: string) => {
    ends.get(uri)?.();
    ends.delete(uri);
  };
  const tell = (uri: string) => {
    server.sendResourceUpdated({ uri }).catch(() => end(uri));
  };
  server.onclose = () => {
    for (const uri of [...ends.keys()]) end(uri);
  };
  async function subscribe(uri: string, { caller, signal }: Exchange) {
    if (ends.size >= maxUris && !ends.has(uri)) throw tooMany();
    const unwatch = await watchAll(surface, [uri], caller, tell, signal);
    end(uri);
    ends.set(uri, unwatch);
    // The connection may have closed while it was found out whether they may.
    if (server.transport === undefined) end(uri);
    return {};
  }
  server.setRequestHandler("resources/subscribe", async ({ params: { uri } }, context) => {
    if (context.http !== undefined && context.sessionId === undefined) throw nothingStays();
    return answered(subscribe(uri, await exchange(context)), nothingStays);
  });
  server.setRequestHandler("resources/unsubscribe", ({ params: { uri } }) => {
    end(uri);
    return {};
  });
}

function tooMany(): ProtocolError {
  return new ProtocolError(
    ProtocolErrorCode.InvalidRequest,
    `At most ${maxUris} resources can be watched by one client; unsubscribe from one first.`,
  );
}

function nothingStays(): ProtocolError {
  return new ProtocolError(
    ProtocolErrorCode.InvalidRequest,
    "Nothing stays between two requests of this client over HTTP: subscribe over a WebSocket or standard input and output, or with the newer revision's subscriptions/listen.",
  );
}
