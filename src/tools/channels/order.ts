import { type APIChannel, ChannelType } from "discord-api-types/v10";

/** Voice channels stand below the others of their category, whatever their positions. */
const isVoice = ({ type }: APIChannel): boolean =>
  type === ChannelType.GuildVoice || type === ChannelType.GuildStageVoice;

const positionOf = (channel: APIChannel): number => ("position" in channel ? channel.position : 0);
const parentIdOf = (channel: APIChannel): string | null =>
  "parent_id" in channel ? (channel.parent_id ?? null) : null;

/** As Discord shows those of one category, or the categories. */
export function siblingsInOrder(channels: readonly APIChannel[]): readonly APIChannel[] {
  return channels.toSorted(
    (a, b) =>
      Number(isVoice(a)) - Number(isVoice(b)) ||
      positionOf(a) - positionOf(b) ||
      (BigInt(a.id) < BigInt(b.id) ? -1 : 1),
  );
}

/** As Discord shows them: those without a category first (or with one that is not among them), then each category with its own. */
export function inOrder(channels: readonly APIChannel[]): readonly APIChannel[] {
  const categories = siblingsInOrder(channels.filter(({ type }) => type === ChannelType.GuildCategory));
  const known = new Set(categories.map(({ id }) => id));
  const under = (parentId: string | null) =>
    siblingsInOrder(
      channels.filter((one) => {
        const own = parentIdOf(one);
        return (
          one.type !== ChannelType.GuildCategory && (own !== null && known.has(own) ? own : null) === parentId
        );
      }),
    );
  return [...under(null), ...categories.flatMap((category) => [category, ...under(category.id)])];
}

/**
 * The place of each of them among those of its kind in its category (0: the first), as `positionsFor` counts. Discord's
 * own numbers would tell by their gaps how many channels are hidden between.
 */
export function placesOf(channels: readonly APIChannel[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  return new Map(
    siblingsInOrder(channels).map((one) => {
      const kind = one.type === ChannelType.GuildCategory ? "category" : isVoice(one) ? "voice" : "other";
      const among = `${parentIdOf(one)} ${kind}`;
      const place = counts.get(among) ?? 0;
      counts.set(among, place + 1);
      return [one.id, place];
    }),
  );
}

/**
 * What to send to Discord so that a channel comes to that place (0: the first) among those of its kind that the actor
 * sees; the others keep their order, hidden ones too. Only what changes is named.
 */
export function positionsFor(
  moved: APIChannel,
  place: number,
  siblings: readonly APIChannel[],
  seen: ReadonlySet<string>,
): readonly { readonly id: string; readonly position: number }[] {
  const others = siblingsInOrder(
    siblings.filter((one) => one.id !== moved.id && isVoice(one) === isVoice(moved)),
  );
  const before = others.filter(({ id }) => seen.has(id))[place];
  const at = before === undefined ? others.length : others.indexOf(before);
  const order = [...others.slice(0, at), moved, ...others.slice(at)];
  return order.flatMap((one, position) =>
    one.id !== moved.id && positionOf(one) === position ? [] : [{ id: one.id, position }],
  );
}
