import { getLogger } from "@logtape/logtape";

const log = getLogger(["discord-mcp", "memory"]);

/** What a person reads in the place of words of ours that cannot be read any more. */
export const lostWords =
  "What I had written here was damaged where it is stored, and I cannot read it any more. Please ask again.";
/** What the model reads in the place of what a person wrote. */
export const lostMessage =
  "(This message was damaged where it is stored and cannot be read. Ask for it again.)";

/**
 * A value that stands among others which must be served all the same: one that is damaged is logged, and `otherwise`
 * stands in its place, so that whoever waits for it hears of it.
 */
export function readOr<Value, Otherwise>(
  otherwise: Otherwise,
  what: { readonly table: string; readonly row: string },
  read: () => Value,
): Value | Otherwise {
  try {
    return read();
  } catch (error) {
    log.error("a stored value is damaged; restore the database from a backup", { ...what, error });
    return otherwise;
  }
}
