/** A place in a ring. Who has one leaves it without a look-up. */
export class Link<Item> {
  readonly item: Item | null;
  before: Link<Item> = this;
  after: Link<Item> = this;

  /** Null for the ring's own, which is where it begins and ends. */
  constructor(item: Item | null) {
    this.item = item;
  }

  /** Harmless for one that is in no ring. */
  leave(): void {
    this.before.after = this.after;
    this.after.before = this.before;
    this.before = this;
    this.after = this;
  }
}

/** What comes and goes at every call, in the order in which it came: a Set does the same in three times the memory. */
export class Ring<Item> {
  readonly #head = new Link<Item>(null);

  /** The one that came first; null when there is none. */
  get first(): Item | null {
    return this.#head.after.item;
  }

  /** Last of all; `link` is in no other ring. */
  join(link: Link<Item>): void {
    const last = this.#head.before;
    link.before = last;
    link.after = this.#head;
    last.after = link;
    this.#head.before = link;
  }
}
