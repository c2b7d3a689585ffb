import type { GatewayDispatchPayload } from "discord-api-types/v10";

/** A dispatch before a session gives it its sequence number. */
export type Dispatch = GatewayDispatchPayload extends infer Payload
  ? Payload extends { t: infer Name; d: infer Data }
    ? { readonly t: Name; readonly d: Data }
    : never
  : never;

/** Something that happened, and where: the gateway decides from it which sessions hear of it. */
export interface WorldEvent {
  readonly dispatch: Dispatch;
  /** Null for direct messages. */
  readonly guildId: string | null;
  /** Set where only those who can see that channel hear of it. */
  readonly channelId?: string;
}

export type Publish = (event: WorldEvent) => void;
