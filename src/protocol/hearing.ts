import type { Actor } from "../actor.ts";
import type { TurnService } from "../agent/turn-service.ts";
import type { PlacesPort } from "../auth/ports.ts";
import type { StreamEvent } from "../sessions/events.ts";
import type { Session } from "../sessions/ports.ts";
import type { Sessions } from "../sessions/service.ts";
import { Listening } from "./listening.ts";
import type { ToolsPort } from "./ports.ts";

export interface HearingDeps {
  readonly places: PlacesPort;
  readonly sessions: Pick<Sessions, "unreadable" | "assertMayHear">;
  readonly turns: Pick<TurnService, "approval">;
  readonly tools: Pick<ToolsPort, "assertMayApprove">;
  /** Hears of each server in which who may be where, or read what, may have changed; returns what ends that. */
  readonly onAccessChanged: (listener: (guildId: string) => void) => () => void;
  readonly now: () => number;
  readonly patience?: readonly number[];
}

/** Where the events go that a session's person may hear. */
export interface Ear {
  /** `event` is null for what is no event of the stream. */
  tell(seq: number, json: string, event: StreamEvent | null): void;
  /** It hears no more. Called at most once, and not after `close`. */
  ended(): void;
}

/** The events of one session on their way to one reader, in order. */
export interface Hearing {
  /** Its person has been found where the session is, just now. */
  isThere(): void;
  hear(event: StreamEvent): void;
  close(): void;
}

export interface Hearings {
  open(session: Session, actor: Actor, begins: Begins, ear: Ear): Hearing;
}

/** Where a reader begins: what lies between the two is sent again. */
export interface Begins {
  /** The last event that it has. */
  readonly after: number;
  /** The newest that there is. */
  readonly newest: number;
}

/**
 * Events are for who may be where the session is, and what rests on a place that they cannot read is told without its
 * content, also when it happens later than what it rests on was read, or is sent again.
 */
export function createHearings(deps: HearingDeps): Hearings {
  const ofGuild = new Map<string, Set<Listening>>();
  deps.onAccessChanged((guildId) => {
    for (const hearing of ofGuild.get(guildId) ?? []) hearing.changed();
  });

  return {
    open(session, actor, begins, ear) {
      const { guildId } = actor;
      const hearing = new Listening({ ...deps, session, actor, ear, begins, left });
      function left(): void {
        const others = ofGuild.get(guildId ?? "");
        others?.delete(hearing);
        if (others?.size === 0) ofGuild.delete(guildId ?? "");
      }
      if (guildId === null) return hearing;
      const others = ofGuild.get(guildId);
      if (others === undefined) ofGuild.set(guildId, new Set([hearing]));
      else others.add(hearing);
      return hearing;
    },
  };
}
