import { permissionNames } from "../src/permissions/names.ts";
import { everydayPermissions } from "../src/simulator/discord/world-seed.ts";
import { type AxisKind, axisKinds } from "../test/tools/matrix/axis.ts";
import { type ActorName, actors } from "../test/tools/matrix/scene.ts";
import { moderating, ofBot } from "../test/tools/matrix/seed.ts";
import { type Cell, disagreement, reasonGiven, verdictOf, walk } from "../test/tools/matrix/walk.ts";
import { startMatrixWorld } from "../test/tools/matrix/world.ts";
import { table } from "./docs-section.ts";

const names: Readonly<Record<ActorName, string>> = {
  owner: "owner",
  administrator: "administrator",
  moderator: "moderator",
  member: "member",
  timed_out: "member in time-out",
  without: "member without the channel",
  outsider: "outsider",
  bot: "the bot's own power",
  token: "the member's token",
};

const headings: Readonly<Record<AxisKind, Readonly<Record<string, string>>>> = {
  server: { here: "Nothing is named" },
  channel: {
    own: "The channel that they speak in",
    public: "A public channel",
    silent: "A public channel where only moderators write",
    no_history: "A public channel where only administrators read what was written before",
    private: "A private channel",
    private_thread: "A private thread",
    unseen: "A channel that the bot cannot see",
    foreign: "A channel of another server",
    deleted: "A channel that was deleted a moment ago",
    missing: "A channel that does not exist",
  },
  message: {
    own: "Their own message",
    somebodys: "Somebody else's message",
    bots_for_them: "What the bot posted for them",
    bots_for_another: "What the bot posted for somebody else",
    elsewhere: "A message of another channel",
    deleted: "A message that was deleted a moment ago",
    missing: "A message that does not exist",
  },
  member: {
    self: "Themselves",
    newcomer: "Somebody without a role",
    member: "A member of the crew",
    moderator: "A moderator",
    administrator: "An administrator",
    owner: "The owner",
    bot: "The bot",
    left: "Somebody who has left",
    missing: "Somebody who does not exist",
  },
  role: {
    everyone: "@everyone",
    guests: "The role of guests, the lowest",
    crew: "The crew's role",
    moderators: "The moderators' role",
    bot: "The bot's own role",
    administrators: "The administrators' role, the highest",
    foreign: "A role of another server",
    deleted: "A role that was deleted a moment ago",
    missing: "A role that does not exist",
  },
  guild: {
    own: "The server that they are in",
    foreign: "Another server",
    missing: "A server that does not exist",
  },
};

const parts: Readonly<Record<AxisKind, string>> = {
  server: "In the server",
  channel: "Channels",
  message: "Messages",
  member: "People",
  role: "Roles",
  guild: "Servers",
};

const plainArgument: Readonly<Record<AxisKind, string | null>> = {
  server: null,
  channel: "channel_id",
  message: "message_id",
  member: "user_id",
  role: "role_id",
  guild: "guild_id",
};

/** The matrix as the registry answers it. Throws when it is not what Discord would say. */
export async function matrixSection(): Promise<string> {
  await using world = await startMatrixWorld({ isTrusted: true, hearsMembers: true });
  const cells = await walk(world);
  const wrong = cells.flatMap((cell) => disagreement(cell) ?? []);
  if (wrong.length > 0)
    throw new Error(`${wrong.length} cells are not as Discord has it:\n${wrong.join("\n")}`);
  const made = axisKinds.map((on) => {
    const tables = Object.entries(headings[on]).map(([target, heading]) => {
      const some = cells.filter((cell) => cell.on === on && cell.target === target);
      return `#### ${heading}\n\n${tableOf(some)}`;
    });
    return `### ${parts[on]}\n\n${tables.join("\n\n")}`;
  });
  return [`${cells.length} calls, of ${new Set(cells.map(({ tool }) => tool)).size} tools.`, ...made].join(
    "\n\n",
  );
}

/** Who may what in the world of the matrix. */
export function matrixWorldSection(): string {
  const words = (bits: bigint): string => permissionNames(bits).join(", ");
  return [
    `- everyone: ${words(everydayPermissions)}`,
    `- moderators besides: ${words(moderating)}`,
    `- the bot besides: ${words(ofBot & ~everydayPermissions)}; in the private channels neither Manage Channels nor Manage Messages`,
  ].join("\n");
}

function tableOf(cells: readonly Cell[]): string {
  const rows = new Map<string, Cell[]>();
  for (const cell of cells) {
    const label = labelOf(cell);
    rows.set(label, [...(rows.get(label) ?? []), cell]);
  }
  return table(
    ["", ...actors.map((actor) => names[actor])],
    [...rows].map(([label, row]) => [
      label,
      ...actors.map((actor) => {
        const cell = row.find((one) => one.actor === actor);
        return cell === undefined ? "" : inShort(cell);
      }),
    ]),
  );
}

function labelOf({ tool, on, argument, variant }: Cell): string {
  const notes = [argument === plainArgument[on] ? "" : (argument ?? ""), variant].filter(
    (note) => note !== "",
  );
  return `\`${tool}\`${notes.length === 0 ? "" : ` (${notes.join(", ")})`}`;
}

function inShort(cell: Cell): string {
  const verdict = verdictOf(cell);
  switch (verdict.kind) {
    case "allowed":
      return "✓";
    case "not_found":
      return "∅";
    case "unfit":
      return "×";
    case "lacks":
      return `– ${verdict.who === "bot" && cell.actor !== "bot" ? "bot: " : ""}${verdict.permissions.join(", ")}`;
    case "refused":
    case "broken": {
      const reason = reasonGiven(verdict, cell.expected);
      return `– ${reason?.kind === "rule" ? reason.label : "?"}`;
    }
    default:
      return verdict satisfies never;
  }
}
