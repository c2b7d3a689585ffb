import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { AppError } from "../../errors.ts";
import { firstIdAt, pageSize, snowflake, time, userArgument } from "../argument-schemas.ts";
import { channelFacts } from "../channel-facts.ts";
import { sourcesOfChannels } from "../channels/shown.ts";
import { nobody } from "../find-people.ts";
import { nextPage } from "../result-schemas.ts";
import { fromGuild } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { actionNumber } from "./audit-actions.ts";
import { entryShape, tellEntries } from "./audit-entries.ts";

const { BanMembers, ViewAuditLog } = PermissionFlagsBits;

export const auditLog = defineTool({
  name: "discord_audit_log",
  title: "Read the audit log",
  description:
    "Reads the server's audit log, newest first: who changed what, when and why. Filter it by person, action and time.",
  family: "server",
  kind: "read",
  repeatable: true,
  input: Type.Object(
    {
      user_id: Type.Optional(userArgument("Only what this person did.")),
      action: Type.Optional(
        Type.String({
          minLength: 3,
          maxLength: 60,
          description: "Only this action, such as member_ban_add, member_role_update or channel_delete.",
        }),
      ),
      after: Type.Optional(time("Only from this time on, such as 2026-05-01T18:30:00Z.")),
      before: Type.Optional(time("Only before this time.")),
      before_entry: Type.Optional(snowflake("Only entries before this one: next_before of the page before.")),
      limit: pageSize("entries", { most: 100, default: 20 }),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    next_before: nextPage("before_entry"),
    entries: Type.Array(entryShape),
  }),
  targets: {
    guild: { kind: "guild", argument: null, absent: "error", needs: ViewAuditLog },
    user: { kind: "user", argument: "user_id", absent: "none", needs: 0n },
  },
  check({ action, before, after, before_entry: entry }, { guild, user }) {
    if (action !== undefined) actionNumber(action);
    if (before !== undefined && entry !== undefined)
      throw new AppError("invalid_arguments", "Give at most one of before and before_entry.");
    if (before !== undefined) firstIdAt("before", before);
    if (after !== undefined) firstIdAt("after", after);
    // Who has left has done things, too; strangers are for those to look up who may ban them.
    if (user !== null && user.member === null && (guild.actor.bits & BanMembers) === 0n)
      throw nobody(user.user.id);
  },
  async run({ action, limit = 20, ...given }, { guild: { facts }, user }, { discord, signal, visible }) {
    const before =
      given.before_entry ??
      (given.before === undefined ? undefined : String(firstIdAt("before", given.before)));
    const first = given.after === undefined ? 0n : firstIdAt("after", given.after);
    const page = {
      limit,
      ...(user === null ? {} : { userId: user.user.id }),
      ...(action === undefined ? {} : { actionType: actionNumber(action) }),
      ...(before === undefined ? {} : { before }),
    };
    const [log, channels] = await Promise.all([
      discord.auditLog(facts.id, page, signal),
      discord.guildChannels(facts.id, signal),
    ]);
    const entries = log.audit_log_entries.filter(({ id }) => BigInt(id) >= first);
    const last = entries.at(-1);
    const told = tellEntries(entries, { guild: facts, channels, visible: await visible(channels), log });
    const value = {
      ...(entries.length === limit && last !== undefined ? { next_before: last.id } : {}),
      entries: told.entries,
    };
    const named = channels.filter(({ id }) => told.channelIds.includes(id));
    const ofChannels = sourcesOfChannels(
      facts,
      named.map((one) => channelFacts(one, facts.id)),
    );
    return { value, sources: [fromGuild(facts.id, ViewAuditLog), ...ofChannels] };
  },
});
