import type { APIAttachment } from "discord-api-types/v10";
import { Type } from "typebox";
import { AppError } from "../../errors.ts";
import { nextOffset, note } from "../result-schemas.ts";
import { fromChannel } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { messageThere, readChannel, whichMessage } from "./one-message.ts";

/** What is fetched of a file, and what of it is given at once. */
const maxBytes = 128 * 1024;
const pageCharacters = 8000;

const textTypes = /^(?:text\/|application\/(?:json|xml|yaml|x-yaml|toml|x-ndjson|javascript|sql)\b)/i;
/** Discord does not know the type of each of them. */
const textNames =
  /\.(?:txt|md|log|csv|tsv|json|jsonl|ya?ml|toml|ini|conf|xml|html?|css|[cm]?[jt]sx?|py|rs|go|java|kt|c|h|cpp|sh|sql|diff|patch)$/i;

export const attachmentRead = defineTool({
  name: "discord_attachment_read",
  title: "Read an attachment",
  description:
    "Reads a text file that is attached to a Discord message, from its first 128 KiB; of other files it says what they are.",
  family: "messages",
  kind: "read",
  repeatable: true,
  input: Type.Object(
    {
      ...whichMessage,
      number: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 10, default: 1, description: "Which of its attachments." }),
      ),
      offset: Type.Optional(
        Type.Integer({ minimum: 0, maximum: maxBytes, default: 0, description: "Characters to pass over." }),
      ),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    channel_id: Type.String(),
    message_id: Type.String(),
    filename: Type.String(),
    content_type: Type.Optional(Type.String()),
    bytes: Type.Integer({ description: "The size of the file." }),
    text: Type.Optional(Type.String()),
    next_offset: nextOffset,
    note,
  }),
  targets: {
    channel: readChannel,
    message: messageThere,
  },
  async run({ number = 1, offset = 0 }, { channel: { facts }, message: { message } }, { files, signal }) {
    const attachment = message.attachments[number - 1];
    if (attachment === undefined) throw absent(message.attachments.length);
    const { filename, content_type: type, size } = attachment;
    const about = {
      channel_id: facts.id,
      message_id: message.id,
      filename,
      ...(type === undefined ? {} : { content_type: type }),
      bytes: size,
    };
    const sources = [fromChannel(facts.id)];
    if (!seemsText(attachment)) return { value: { ...about, note: "It is no text file." }, sources };
    const { bytes, isWhole } = await files.attachment(attachment.url, maxBytes, signal);
    if (bytes.includes(0))
      return { value: { ...about, note: "It holds no text, whatever its name says." }, sources };
    return { value: { ...about, ...page(new TextDecoder().decode(bytes), isWhole, offset) }, sources };
  },
});

const seemsText = ({ content_type: type, filename }: APIAttachment): boolean =>
  textTypes.test(type ?? "") || textNames.test(filename);

function page(text: string, isWhole: boolean, offset: number) {
  const end = offset + pageCharacters;
  const isLast = end >= text.length;
  return {
    text: text.slice(offset, end).toWellFormed(),
    ...(isLast ? {} : { next_offset: end }),
    ...(isLast && !isWhole ? { note: "The file goes on; only its first 128 KiB can be read." } : {}),
  };
}

function absent(count: number): AppError {
  const has = count === 0 ? "no attachment" : count === 1 ? "one attachment" : `${count} attachments`;
  return new AppError("invalid_arguments", `That message has ${has}; give a number that fits.`, {
    data: { path: "number", problem: `has ${has}` },
  });
}
