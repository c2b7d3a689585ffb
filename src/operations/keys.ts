import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import { unreadable } from "../errors.ts";
import type { KeyRotation } from "../memory/key-rotation.ts";

const Progress = Type.Object({
  key: Type.Integer(),
  table: Type.Union([Type.String(), Type.Null()]),
  resealed: Type.Integer(),
  finished: Type.Boolean(),
});
export type Progress = Static<typeof Progress>;

const progress = Compile(Progress);
const request = Compile(
  Type.Object(
    { to: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]) },
    { additionalProperties: false },
  ),
);

/** One answer takes about so long; whoever asks goes on until it is finished. */
const stepMs = 1000;

/** What came over the control socket. Throws AppError `invalid_data`. */
export function readProgress(value: unknown): Progress {
  if (progress.Check(value)) return value;
  throw unreadable("answer");
}

/**
 * What the command `keys rotate` asks for, whether it reaches the running service or opens the database itself:
 * a second's worth of the change of the data key, and how far it has come. Throws AppError `invalid_data`.
 */
export function createKeyOperations(keys: KeyRotation) {
  return {
    async keys_rotate(data: unknown): Promise<Progress> {
      if (!request.Check(data)) throw unreadable("request");
      return keys.rotate(data.to, stepMs);
    },
  };
}
