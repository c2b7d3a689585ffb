import type { APIRole } from "discord-api-types/v10";
import { type Entry, inServer, onMember, onRole } from "../axis.ts";
import {
  actorAlone,
  both,
  lacksInServer,
  type Needed,
  notAboveRole,
  type Permission,
  type Reason,
  roleOf,
  rule,
  type Scene,
  unfit,
} from "../expectation.ts";
import { guildId, roles, users } from "../scene.ts";

const page = "https://docs.discord.com/developers/resources/guild";
const hierarchy = "https://docs.discord.com/developers/topics/permissions#permission-hierarchy";

const isEveryone = ({ id }: APIRole): boolean => id === guildId;
const managed = ({ managed }: APIRole): readonly Reason[] =>
  managed ? [rule("integration", /belongs to an integration/)] : [];

const ruling = (role: APIRole, scene: Scene): readonly Reason[] => [
  ...notAboveRole(scene, role),
  ...managed(role),
];
const handing = (role: APIRole, scene: Scene): readonly Reason[] => [
  ...ruling(role, scene),
  ...(isEveryone(role) ? [rule("@everyone", /is the role of all members/)] : []),
];
const roleMaking = (...given: Permission[]): Needed => [both("ManageRoles"), both(...given)];

export const roleTools: Readonly<Record<string, Entry>> = {
  discord_roles_list: { source: `${page}#get-guild-roles`, axes: [inServer({})] },
  discord_role_info: {
    source: `${page}#get-guild-role`,
    axes: [
      onRole({}),
      onRole({
        variant: "with permissions",
        input: { with_permissions: true },
        needs: actorAlone("ManageRoles"),
      }),
    ],
  },
  discord_role_create: {
    source: `${page}#create-guild-role`,
    axes: [
      inServer({ input: { name: "New" }, needs: roleMaking() }),
      inServer({
        variant: "with Ban Members",
        input: { name: "New", permissions: ["Ban Members"] },
        needs: roleMaking("BanMembers"),
      }),
      inServer({
        variant: "with Manage Server",
        input: { name: "New", permissions: ["Manage Server"] },
        needs: roleMaking("ManageGuild"),
      }),
    ],
  },
  discord_role_edit: {
    source: `${page}#modify-guild-role`,
    axes: [
      onRole({
        input: { name: "Renamed" },
        needs: both("ManageRoles"),
        rules: (role, scene) => [...ruling(role, scene), ...(isEveryone(role) ? [unfit] : [])],
      }),
      onRole({
        variant: "adding Manage Channels",
        input: { add_permissions: ["Manage Channels"] },
        needs: both("ManageRoles"),
        // Administrators have it already, as they have everything.
        rules: (role, scene) => [...ruling(role, scene), ...lacksInServer(scene, both("ManageChannels"))],
      }),
    ],
  },
  discord_role_delete: {
    source: `${page}#delete-guild-role`,
    axes: [onRole({ needs: both("ManageRoles"), rules: handing })],
  },
  discord_role_give: {
    source: hierarchy,
    axes: [
      onRole({ input: { user_id: users.newcomer }, needs: both("ManageRoles"), rules: handing }),
      onMember({ ...aRole(), left: "not_found" }),
    ],
  },
  discord_role_take: {
    source: hierarchy,
    axes: [
      onRole({ input: { user_id: users.newcomer }, needs: both("ManageRoles"), rules: handing }),
      onMember({ ...aRole(), left: "not_found" }),
    ],
  },
};

/** Of guests, below everybody who has a role; whose it is is of no matter. */
function aRole() {
  return {
    input: { role_id: roles.guests },
    needs: () => both("ManageRoles"),
    rules: (_userId: string, scene: Scene): readonly Reason[] => {
      const role = roleOf(scene, roles.guests);
      return role === null ? [] : notAboveRole(scene, role);
    },
  };
}
