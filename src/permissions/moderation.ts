import { PermissionFlagsBits as P } from "discord-api-types/v10";

/**
 * What may be used only with two-factor authentication where the guild asks for that: the permissions with one star in
 * Discord's table, and MODERATE_MEMBERS. That one has a mark of its own there, for what a time-out does, and a time-out
 * is a moderation action, which is what the guild's MFA level is about: in doubt it is refused.
 * https://docs.discord.com/developers/topics/permissions#permissions-bitwise-permission-flags
 * https://docs.discord.com/developers/resources/guild#guild-object-mfa-level
 */
export const needsMfa: bigint =
  P.KickMembers |
  P.BanMembers |
  P.Administrator |
  P.ManageChannels |
  P.ManageGuild |
  P.ManageMessages |
  P.ManageRoles |
  P.ManageWebhooks |
  P.ManageGuildExpressions |
  P.ManageThreads |
  P.ViewCreatorMonetizationAnalytics |
  P.ModerateMembers;
