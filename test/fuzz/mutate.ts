import fc from "fast-check";

/** What happens to one place of a JSON value; `pick` chooses the place. */
type Edit =
  | { readonly how: "drop"; readonly pick: number }
  | { readonly how: "replace"; readonly pick: number; readonly by: unknown }
  | { readonly how: "move"; readonly pick: number; readonly from: number }
  | { readonly how: "repeat"; readonly pick: number; readonly times: number }
  | { readonly how: "add"; readonly pick: number; readonly key: string; readonly value: unknown }
  | { readonly how: "nest"; readonly pick: number; readonly levels: number };

/** Values that programs stumble over. */
export const nasty: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -1,
    1.5,
    Number.MAX_SAFE_INTEGER,
    1e308,
    "",
    " ",
    "0",
    "-1",
    "NaN",
    "null",
    "__proto__",
    "constructor",
    "../../etc/passwd",
    "\u0000",
    "\ud800",
    "\u202e\u200b",
    "99999999999999999999999999",
    "1e400",
    "2026-13-45T99:99:99Z",
    [],
    {},
    [null],
    [[[]]],
  ),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.jsonValue({ maxDepth: 2 }),
  { arbitrary: fc.constantFrom(500, 5000).map((length) => "x".repeat(length)), weight: 1 },
);

const pick = fc.nat({ max: 10_000 });
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ how: fc.constant("drop" as const), pick }),
  fc.record({ how: fc.constant("replace" as const), pick, by: nasty }),
  fc.record({ how: fc.constant("replace" as const), pick, by: nasty }),
  fc.record({ how: fc.constant("move" as const), pick, from: pick }),
  fc.record({ how: fc.constant("repeat" as const), pick, times: fc.constantFrom(2, 40) }),
  fc.record({
    how: fc.constant("add" as const),
    pick,
    key: fc.oneof(
      fc.constantFrom("__proto__", "constructor", "toString", "id", "type"),
      fc.string({ maxLength: 8 }),
    ),
    value: nasty,
  }),
  fc.record({ how: fc.constant("nest" as const), pick, levels: fc.constantFrom(1, 40, 400) }),
);

/** One of the values with up to `most` changes in it; the values themselves stay as they are. */
export function mutated(values: readonly unknown[], most = 3): fc.Arbitrary<unknown> {
  // One change in most of them: with more, what is refused first hides the rest.
  const edits = fc.oneof(
    { arbitrary: fc.array(edit, { maxLength: 1 }), weight: 3 },
    { arbitrary: fc.array(edit, { maxLength: most }), weight: 1 },
  );
  return fc
    .tuple(fc.nat({ max: values.length - 1 }), edits)
    .map(([which, edits]) => edits.reduce(apply, structuredClone(values[which])));
}

type Container = Record<string, unknown> | unknown[];
interface Place {
  readonly in: Container;
  readonly key: string;
}

function apply(value: unknown, change: Edit): unknown {
  const root: Record<string, unknown> = { value };
  const all = placesIn(root);
  // The value as a whole is one place among many: what takes its place is refused at once.
  const place = all[change.pick % 20 === 0 ? 0 : 1 + (change.pick % (all.length - 1))] ?? all[0];
  if (place === undefined) return value;
  switch (change.how) {
    case "drop":
      if (Array.isArray(place.in)) place.in.splice(Number(place.key), 1);
      else if (place.in !== root) delete place.in[place.key];
      break;
    case "replace":
      put(place, structuredClone(change.by));
      break;
    case "move": {
      const from = all[change.from % all.length];
      if (from !== undefined) put(place, structuredClone(get(from)));
      break;
    }
    case "repeat": {
      const before = get(place);
      if (Array.isArray(before))
        put(place, Array.from({ length: change.times }, () => structuredClone(before)).flat());
      else if (typeof before === "string") put(place, before.repeat(change.times).slice(0, 20_000));
      break;
    }
    case "add": {
      const before = get(place);
      if (Array.isArray(before)) before.push(structuredClone(change.value));
      else if (isRecord(before)) define(before, change.key, structuredClone(change.value));
      break;
    }
    case "nest": {
      let nested = get(place);
      for (let level = 0; level < change.levels; level += 1)
        nested = level % 2 === 0 ? [nested] : { in: nested };
      put(place, nested);
      break;
    }
    default:
      change satisfies never;
  }
  return root.value;
}

/** Every place of it, at most so many; the outermost first. */
function placesIn(root: Container, most = 2000): Place[] {
  const found: Place[] = [];
  const open: Container[] = [root];
  for (let container = open.shift(); container !== undefined; container = open.shift()) {
    for (const key of Object.keys(container)) {
      if (found.length >= most) return found;
      const place = { in: container, key };
      found.push(place);
      const inner = get(place);
      if (Array.isArray(inner) || isRecord(inner)) open.push(inner);
    }
  }
  return found;
}

const get = ({ in: container, key }: Place): unknown =>
  Array.isArray(container) ? container[Number(key)] : container[key];

function put({ in: container, key }: Place, value: unknown): void {
  if (Array.isArray(container)) container[Number(key)] = value;
  else define(container, key, value);
}

/** An own property, whatever it is called: an assignment to `__proto__` makes none. */
function define(container: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(container, key, { value, enumerable: true, writable: true, configurable: true });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A text with bytes changed, cut out, doubled. */
export function scrambled(texts: readonly string[]): fc.Arbitrary<string> {
  const change = fc.record({
    at: pick,
    length: fc.constantFrom(0, 1, 1, 3, 40, 4000),
    by: fc.oneof(
      fc.constant(""),
      fc.string({ unit: "binary", maxLength: 6 }),
      fc.constantFrom("\0", "\n", '"', "\\", "\ud800", "}"),
    ),
  });
  return fc.tuple(fc.constantFrom(...texts), fc.array(change, { maxLength: 4 })).map(([text, changes]) =>
    changes.reduce((before, { at, length, by }) => {
      const from = at % (before.length + 1);
      return before.slice(0, from) + by + before.slice(from + length);
    }, text),
  );
}
