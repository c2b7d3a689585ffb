import { type Entry, inServer, onMember, onRole } from "../axis.ts";
import {
  actorAlone,
  both,
  idOf,
  lacksInServer,
  type Needs,
  notAboveMember,
  type Reason,
  rule,
  type Scene,
} from "../expectation.ts";
import { botId, users } from "../scene.ts";

const page = "https://docs.discord.com/developers/resources/guild";

/** Kicking and the like: by who stands above them, and by nobody to themselves. */
function moderating(userId: string, scene: Scene): readonly Reason[] {
  const isSelf = userId === idOf(scene);
  return [...notAboveMember(scene, userId), ...(isSelf ? [rule("oneself", /^Nobody can/)] : [])];
}

/** https://docs.discord.com/developers/resources/guild#modify-guild-member */
function timingOut(userId: string, scene: Scene): readonly Reason[] {
  const isAdministrator = userId === users.administrator || userId === users.otherAdministrator;
  const never = rule("administrator", /is an administrator, whom Discord lets nobody put in time-out/);
  return [...moderating(userId, scene), ...(isAdministrator ? [never] : [])];
}

/** One's own by another permission; the bot renames whom it stands above, also for themselves. */
const renaming = (userId: string, scene: Scene): Needs => ({
  actor: userId === idOf(scene) ? ["ChangeNickname"] : ["ManageNicknames"],
  bot: userId === botId ? ["ChangeNickname"] : ["ManageNicknames"],
});

/** Discord's apps show what others may do, and what a role permits, to those who manage roles. */
const showing = (userId: string, scene: Scene): readonly Reason[] =>
  userId === idOf(scene) ? [] : lacksInServer(scene, actorAlone("ManageRoles"));

export const memberTools: Readonly<Record<string, Entry>> = {
  discord_members_search: {
    source: `${page}#search-guild-members`,
    axes: [inServer({}), onRole({})],
  },
  discord_member_info: {
    source: `${page}#get-guild-member`,
    axes: [
      onMember({ isOptional: true, left: "not_found" }),
      onMember({
        variant: "with permissions",
        isOptional: true,
        input: { with_permissions: true },
        left: "not_found",
        rules: showing,
      }),
    ],
  },
  discord_member_nickname: {
    source: `${page}#modify-current-member`,
    axes: [
      onMember({
        isOptional: true,
        input: { nickname: "Sailor" },
        needs: renaming,
        left: "not_found",
        rules: (userId, scene) => notAboveMember(scene, userId, { exceptSelf: true }),
      }),
    ],
  },
  discord_member_timeout: {
    source: `${page}#modify-guild-member`,
    axes: [
      onMember({
        input: { minutes: 5 },
        needs: () => both("ModerateMembers"),
        left: "not_found",
        rules: timingOut,
      }),
    ],
  },
  discord_member_timeout_end: {
    source: `${page}#modify-guild-member`,
    axes: [onMember({ needs: () => both("ModerateMembers"), left: "not_found", rules: moderating })],
  },
  discord_member_kick: {
    source: `${page}#remove-guild-member`,
    axes: [onMember({ needs: () => both("KickMembers"), left: "not_found", rules: moderating })],
  },
  discord_member_ban: {
    source: `${page}#create-guild-ban`,
    axes: [onMember({ needs: () => both("BanMembers"), left: "fine", rules: moderating })],
  },
  discord_member_unban: {
    source: `${page}#remove-guild-ban`,
    axes: [onMember({ needs: () => both("BanMembers"), left: "fine" })],
  },
  discord_bans_list: {
    source: `${page}#get-guild-bans`,
    axes: [inServer({ needs: both("BanMembers") })],
  },
};
