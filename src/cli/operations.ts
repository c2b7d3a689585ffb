import type { Config } from "../config.ts";
import { askService } from "../control/control.ts";
import { openStored, type Stored } from "../database.ts";
import { AppError } from "../errors.ts";

type OperationsOf<Name extends string> = Readonly<Record<Name, (data: unknown) => Promise<unknown>>>;

/** Operations that a command asks for. A database that was opened for them is held until they are disposed of. */
export interface Operations<Name extends string> extends Disposable {
  /** Rejects with AppError `shutting_down` when the service has answered before and runs no more. */
  ask(operation: Name, data: unknown): Promise<unknown>;
}

/** Through the service while it runs, since it alone writes then; else on the database itself, as `open` gives it. */
export function openOperations<Name extends string>(
  config: Config,
  make: (stored: Stored) => OperationsOf<Name>,
  open: (config: Config) => Promise<Stored> = openStored,
): Operations<Name> {
  let hasAnswered = false;
  let opened: { readonly stored: Stored; readonly operations: OperationsOf<Name> } | null = null;
  return {
    async ask(operation, data) {
      if (opened === null) {
        const answer = await askService(config.dataDir, operation, data);
        if (answer !== null) {
          hasAnswered = true;
          return answer.result;
        }
        if (hasAnswered)
          throw new AppError(
            "shutting_down",
            "The service stopped meanwhile; run this command again to go on from there.",
          );
        const stored = await open(config);
        opened = { stored, operations: make(stored) };
      }
      return opened.operations[operation](data);
    },
    [Symbol.dispose]() {
      opened?.stored[Symbol.dispose]();
    },
  };
}
