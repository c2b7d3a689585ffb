import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import type { Erasing } from "../erasing/erasing.ts";
import { AppError, unreadable } from "../errors.ts";
import type { Eraser } from "../memory/erase.ts";
import type { Exporter, ExportPage } from "../memory/export.ts";
import { snowflakePattern } from "../snowflake.ts";

const count = Type.Integer({ minimum: 0 });
const StoredCounts = Type.Object({
  conversations: count,
  turns: count,
  messages: count,
  tool_calls: count,
  sessions: count,
  memories: count,
  preferences: count,
  tokens: count,
  audit_rows: count,
});
export type StoredCounts = Static<typeof StoredCounts>;

/** `working`: ask again; `done`: all is gone; `left`: but for what others work with, which follows. */
const Progress = Type.Object({ state: Type.Enum(["working", "done", "left"]) });
export type ForgetProgress = Static<typeof Progress>;

const Page = Type.Object({
  records: Type.Array(Type.Object({ type: Type.String() }, { additionalProperties: true })),
  next: Type.Union([Type.String(), Type.Null()]),
});

const answers = {
  personal_counts: Compile(StoredCounts),
  personal_forget: Compile(Progress),
  personal_export: Compile(Page),
} as const;

const user = Type.String({ pattern: snowflakePattern });
const ofUser = Compile(Type.Object({ user_id: user }, { additionalProperties: false }));
const pageRequest = Compile(
  Type.Object(
    {
      user_id: user,
      cursor: Type.Union([Type.String({ pattern: "^\\d{1,2}:(-1|\\d{1,16})$" }), Type.Null()]),
    },
    { additionalProperties: false },
  ),
);

/** So long an answer is waited for; whoever asks goes on until it is done. */
const stepMs = 2000;

export interface PersonalOperations {
  personal_counts(data: unknown): Promise<StoredCounts>;
  personal_forget(data: unknown): Promise<ForgetProgress>;
  personal_export(data: unknown): Promise<ExportPage>;
}

export interface PersonalDeps {
  readonly erasing: Erasing;
  readonly eraser: Pick<Eraser, "footprint">;
  readonly exporter: Exporter;
  /** Null where it is not known. */
  readonly botUserId: () => string | null;
}

/**
 * What the commands `forget` and `export` ask for, whether they reach the running service or open the database
 * themselves. Throws AppError `invalid_data`.
 */
export function createPersonalOperations(deps: PersonalDeps): PersonalOperations {
  const { erasing, eraser, exporter, botUserId } = deps;
  /** Every conversation names it: all of them would be withheld from those whose they are. */
  const assertPerson = (id: string): void => {
    if (id === botUserId())
      throw new AppError("invalid_data", "That is the bot itself; name the user id of a person.");
  };
  const running = new Map<string, Promise<ForgetProgress>>();
  const forget = (id: string): Promise<ForgetProgress> => {
    const known = running.get(id);
    if (known !== undefined) return known;
    const begun = erasing.erase(id).then(({ left }): ForgetProgress => ({ state: left ? "left" : "done" }));
    running.set(id, begun);
    const settled = () => void running.delete(id);
    begun.then(settled, settled);
    return begun;
  };
  return {
    async personal_counts(data) {
      if (!ofUser.Check(data)) throw unreadable("request");
      assertPerson(data.user_id);
      const stored = eraser.footprint({ kind: "user", id: data.user_id });
      const { toolCalls: tool_calls, auditRows: audit_rows, ...rest } = stored;
      return { ...rest, tool_calls, audit_rows };
    },
    async personal_forget(data) {
      if (!ofUser.Check(data)) throw unreadable("request");
      assertPerson(data.user_id);
      const { promise, resolve } = Promise.withResolvers<ForgetProgress>();
      const timer = setTimeout(() => resolve({ state: "working" }), stepMs);
      try {
        return await Promise.race([forget(data.user_id), promise]);
      } finally {
        clearTimeout(timer);
      }
    },
    async personal_export(data) {
      if (!pageRequest.Check(data)) throw unreadable("request");
      return exporter.page(data.user_id, data.cursor);
    },
  };
}

/** What came over the control socket. Throws AppError `invalid_data`. */
export function readAnswer(operation: "personal_counts", value: unknown): StoredCounts;
export function readAnswer(operation: "personal_forget", value: unknown): ForgetProgress;
export function readAnswer(operation: "personal_export", value: unknown): ExportPage;
export function readAnswer(operation: keyof typeof answers, value: unknown): unknown {
  if (answers[operation].Check(value)) return value;
  throw unreadable("answer");
}
