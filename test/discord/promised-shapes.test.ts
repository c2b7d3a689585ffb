import { expect, test } from "bun:test";
import fc from "fast-check";
import * as shapes from "../../src/discord/promised-shapes.ts";
import { seed } from "../seed.ts";
import { ofDescription } from "./from-description.ts";

test.each([
  ["UserResponse", shapes.isUser],
  ["GuildMemberResponse", shapes.isMember],
  ["GuildMemberResponse", shapes.isWholeMember],
  ["GuildRoleResponse", shapes.isRole],
  ["GuildChannelResponse", shapes.isChannel],
  ["ThreadResponse", shapes.isChannel],
  ["PrivateChannelResponse", shapes.isChannel],
  ["PrivateGroupChannelResponse", shapes.isChannel],
  ["EmojiResponse", shapes.isEmoji],
  ["GuildWithCountsResponse", shapes.isDescribedGuild],
  ["GuildBanResponse", shapes.isBan],
  ["ThreadMemberResponse", shapes.isThreadMember],
  ["ThreadsResponse", shapes.isThreads],
  ["MessageResponse", shapes.isMessage],
  ["PinnedMessagesResponse", shapes.isPins],
  ["GuildAuditLogResponse", shapes.isAuditLog],
  ["GuildSearchResponse", shapes.isSearch],
  ["SearchIndexNotReadyResponse", shapes.isSearch],
  ["GatewayBotResponse", shapes.isGatewayInfo],
  ["MyGuildResponse", shapes.isOwnGuild],
  ["PrivateApplicationResponse", shapes.isApplication],
])("whatever Discord's description allows of a %s is taken", (name, fits) => {
  fc.assert(
    fc.property(ofDescription(name), (value) => {
      expect(fits(value)).toBe(true);
    }),
    { numRuns: 100, seed },
  );
});
