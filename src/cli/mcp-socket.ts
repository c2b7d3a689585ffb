import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { channelPath, closeCodes } from "../control/channels.ts";
import { controlPath } from "../control/control.ts";
import { AppError } from "../errors.ts";

/** A channel to the service, open. */
export interface ServiceSocket {
  send(text: string): void;
  close(): void;
  /** Bytes that wait to be sent. */
  readonly waiting: number;
}

export type Goodbye =
  /** In order: the service stops. */
  | { readonly kind: "stopped" }
  | { readonly kind: "refused"; readonly sentence: string }
  | { readonly kind: "lost" };

export interface SocketListener {
  message(text: string): void;
  closed(goodbye: Goodbye): void;
}

/** Where a person speaks from and as whom; what `mcp` was told. */
export interface Introduction {
  readonly authorization: string | null;
  readonly operatorFor: string | null;
  readonly guildId: string | null;
  readonly channelId: string | null;
}

type Attempt =
  | { readonly kind: "open"; readonly socket: ServiceSocket }
  /** Nobody listens. */
  | { readonly kind: "absent" }
  /** Somebody does, and is starting or stopping. */
  | { readonly kind: "later" };

/** Throws AppError when the service that runs cannot open channels at all. */
export async function connectService(
  dataDir: string,
  introduction: Introduction,
  listener: SocketListener,
): Promise<Attempt> {
  await using path = await plainPath(dataDir);
  const headers = introduction.authorization === null ? {} : { authorization: introduction.authorization };
  const socket = new WebSocket(`ws+unix://${path.value}:/${channelPath}?${queryOf(introduction)}`, {
    headers,
  });
  socket.binaryType = "arraybuffer";
  return await new Promise((settle, reject) => {
    let isOpen = false;
    let failure = "";
    let lastWord: string | null = null;
    socket.onopen = () => {
      isOpen = true;
      settle({ kind: "open", socket: handleOf(socket) });
    };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") listener.message(data);
      else lastWord = new TextDecoder().decode(data);
    };
    socket.onerror = (event) => {
      failure = "message" in event ? String(event.message) : "";
    };
    socket.onclose = ({ code }) => {
      if (isOpen) return listener.closed(goodbyeOf(code, lastWord));
      const status = /status code: (\d+)/.exec(failure)?.[1];
      if (status === undefined) settle({ kind: "absent" });
      else if (status === "503") settle({ kind: "later" });
      else reject(anotherVersion());
    };
  });
}

function goodbyeOf(code: number, sentence: string | null): Goodbye {
  if (sentence !== null) return { kind: "refused", sentence };
  if (code === closeCodes.done || code === closeCodes.goingAway) return { kind: "stopped" };
  if (code === closeCodes.tooSlow)
    return {
      kind: "refused",
      sentence: "The service has closed the channel: answers were not read fast enough.",
    };
  return { kind: "lost" };
}

function handleOf(socket: WebSocket): ServiceSocket {
  return {
    send: (text) => socket.send(text),
    close: () => socket.close(closeCodes.done),
    get waiting() {
      return socket.bufferedAmount;
    },
  };
}

function queryOf({ operatorFor, guildId, channelId }: Introduction): URLSearchParams {
  const query = new URLSearchParams();
  if (operatorFor !== null) query.set("operator_for", operatorFor);
  if (guildId !== null) query.set("guild_id", guildId);
  if (channelId !== null) query.set("channel_id", channelId);
  return query;
}

/**
 * The socket's path as the WebSocket client can take it: it reads the path as a part of an address, so a space
 * (as in "Application Support") would be escaped. Such a folder is reached through a link of a plain name.
 */
async function plainPath(dataDir: string): Promise<{ readonly value: string } & AsyncDisposable> {
  if (/^[\w./-]+$/.test(dataDir)) {
    return { value: controlPath(dataDir), async [Symbol.asyncDispose]() {} };
  }
  const folder = await mkdtemp(join(tmpdir(), "discord-mcp-"));
  const link = join(folder, "data");
  await symlink(resolve(dataDir), link);
  return {
    value: controlPath(link),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

function anotherVersion(): AppError {
  return new AppError(
    "wrong_protocol",
    "The service that runs here does not open channels to programs; is it of an older version? Restart it.",
  );
}
