import { ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";

/** Clients that read no second page see what most need. */
const pageSize = 100;

/**
 * One page of a list that is the same each time: a cursor is a place in it. Throws ProtocolError for one of somebody
 * else's making. https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/pagination
 */
export function page<Item>(
  all: readonly Item[],
  cursor: string | undefined,
): { readonly items: Item[]; readonly nextCursor?: string } {
  const from = cursor === undefined ? 0 : placeIn(cursor);
  if (from === null || (from >= all.length && from > 0))
    throw new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      "This cursor is none of this list; begin without one.",
    );
  const items = all.slice(from, from + pageSize);
  const next = from + items.length;
  return next < all.length ? { items, nextCursor: `at-${next}` } : { items };
}

function placeIn(cursor: string): number | null {
  const digits = /^at-(\d{1,6})$/.exec(cursor)?.[1];
  return digits === undefined ? null : Number(digits);
}
