import { type TSchema, Type } from "typebox";

/**
 * What the results of tools are made of. Clients hold results against these schemas, and results that are too large are
 * cut within them (see `bound.ts`): so texts and lists have no bounds and no patterns here.
 */

export const timestamp = (description: string) =>
  Type.String({ description: `${description} An ISO 8601 time.` });

export const nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);

/** There when it is so, and left out when it is not. */
export const flag = (description: string) => Type.Optional(Type.Boolean({ description }));

/** Where lists go on; left out on their last page. */
export const nextPage = (argument: string) =>
  Type.Optional(Type.String({ description: `There is more: give it as ${argument}.` }));
export const nextOffset = Type.Optional(Type.Integer({ description: "There is more: give it as offset." }));

export const note = Type.Optional(Type.String({ description: "What there is to know about the result." }));

/** Somebody, by the names that others see. */
export const person = {
  user_id: Type.String(),
  username: Type.String(),
  display_name: Type.String({ description: "The name that is shown." }),
};
