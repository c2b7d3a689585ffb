import type { APIUser } from "discord-api-types/v10";
import { AppError, toAppError } from "../errors.ts";
import type { MemberFacts } from "../permissions/facts.ts";
import { plain } from "./authority.ts";
import type { Finding } from "./find.ts";
import { idIn, memberNamed, missing } from "./names.ts";
import type { MemberPlace, MemberSpec, UserPlace, UserSpec } from "./targets.ts";

/** How many members Discord is asked for by name. */
const searched = 100;
/** No name is that long, and Discord takes no longer query: https://docs.discord.com/developers/resources/guild#search-guild-members */
const longestQuery = 100;

export async function findMember(
  spec: MemberSpec,
  said: unknown,
  finding: Finding,
): Promise<MemberPlace | null> {
  if (said === undefined && spec.absent === "none") return null;
  if (said === undefined && spec.absent === "error") throw missing(spec.argument);
  const { id: guildId } = await finding.authority.guild();
  const userId = typeof said === "string" ? await userIdOf(said, finding) : finding.actor.userId;
  finding.onTarget(`member:${guildId}:${userId}`);
  const facts = await finding.authority.member(userId);
  if (facts === null)
    throw new AppError(
      "not_found",
      `The user with the id ${userId} is no member of this server; they may have left it.`,
    );
  const name = finding.standings.nameOf(userId, facts.name);
  if (spec.isBelow) await assertBelow(facts, name, finding);
  return { kind: "member", guildId, facts, name };
}

export async function findUser(spec: UserSpec, said: unknown, finding: Finding): Promise<UserPlace | null> {
  if (said === undefined && spec.absent === "none") return null;
  if (said === undefined && spec.absent === "error") throw missing(spec.argument);
  const userId = typeof said === "string" ? await userIdOf(said, finding) : finding.actor.userId;
  finding.onTarget(`user:${userId}`);
  // Both are waited for whatever becomes of the first, so that time does not tell a stranger from nobody.
  const [found, member] = await Promise.all([
    userOf(userId, finding),
    finding.actor.guildId === null ? null : finding.authority.member(userId),
  ]);
  if (found instanceof AppError) throw found;
  const user = found;
  const name = `@${plain(member?.name ?? user.global_name ?? user.username)}`;
  if (spec.isBelow && member !== null) await assertBelow(member, name, finding);
  return { kind: "user", user, member, name };
}

/** What is answered for who does not exist, and for who is not to be seen. */
export const nobody = (userId: string): AppError =>
  new AppError("not_found", `There is nobody with the id ${userId} who can be seen from here.`);

async function userOf(userId: string, { discord, signal }: Finding): Promise<APIUser | AppError> {
  try {
    return await discord.user(userId, signal);
  } catch (error) {
    const failed = toAppError(error);
    return failed.code === "not_found" ? nobody(userId) : failed;
  }
}

/** Nobody is above themselves; what people may do to themselves, the permissions say. */
async function assertBelow(facts: MemberFacts, name: string, finding: Finding): Promise<void> {
  const { actor, authority } = finding;
  await authority.assertAboveMember(facts, name, actor.userId === facts.userId ? "bot" : "both");
}

async function userIdOf(said: string, { actor, discord, signal }: Finding): Promise<string> {
  const id = idIn("user", said);
  if (id !== null) return id;
  const name = said.trim().replace(/^@/, "");
  if (actor.guildId === null)
    throw new AppError("invalid_arguments", "In a direct message people are named by their id or a mention.");
  if (name === "") throw new AppError("invalid_arguments", "Say whom: an id, a mention or a name.");
  const members =
    name.length > longestQuery ? [] : await discord.searchMembers(actor.guildId, name, searched, signal);
  return memberNamed(name, members).user.id;
}
