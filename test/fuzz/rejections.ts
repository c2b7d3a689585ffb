import { Broken } from "./holds.ts";

/** What nobody caught: it would end the process. */
export class Rejections implements Disposable {
  readonly #found: unknown[] = [];
  readonly #note = (error: unknown) => void this.#found.push(error);

  constructor() {
    process.on("unhandledRejection", this.#note);
    process.on("uncaughtException", this.#note);
  }

  /** Throws what came since. */
  check(): void {
    const [first] = this.#found.splice(0);
    if (first !== undefined) throw new Broken("nobody caught it", { cause: first });
  }

  [Symbol.dispose](): void {
    process.off("unhandledRejection", this.#note);
    process.off("uncaughtException", this.#note);
  }
}
