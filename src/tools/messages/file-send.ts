import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { AppError } from "../../errors.ts";
import { readPublicUrl } from "../../outbound/public-address.ts";
import { isThread } from "../../permissions/compute.ts";
import { channelArgument } from "../argument-schemas.ts";
import { inChannel } from "../audiences.ts";
import type { FileToPost } from "../discord-port.ts";
import { saying } from "../question.ts";
import { fromChannel } from "../sources.ts";
import type { ChannelPlace, Requirement } from "../targets.ts";
import { type ChangeContext, defineTool } from "../tool.ts";
import { assertMayUseEmojis, customEmojiIds } from "./custom-emojis.ts";
import { describeMessage, messageShape } from "./describe.ts";
import { readable } from "./kinds.ts";
import { messageText, post } from "./post.ts";

/** Below what Discord takes, https://docs.discord.com/developers/reference#uploading-files; all files together. */
const maxBytes = 8 * 1024 * 1024;
const maxFiles = 4;
/** A question has to show all of them. */
const maxAddress = 250;

/** What is taken, with the ending of its name: what a server calls its file is not to hide what it is. */
const endings: ReadonlyMap<string, string> = new Map([
  ...(["png", "gif", "webp", "avif"] as const).map((kind) => [`image/${kind}`, kind] as const),
  ["image/jpeg", "jpg"],
  ["audio/mpeg", "mp3"],
  ["audio/ogg", "ogg"],
  ["audio/wav", "wav"],
  ["video/mp4", "mp4"],
  ["video/webm", "webm"],
  ["text/plain", "txt"],
  ["text/csv", "csv"],
  ["text/markdown", "md"],
  ["application/pdf", "pdf"],
  ["application/json", "json"],
  ["application/zip", "zip"],
]);

const { AttachFiles, SendMessages, SendMessagesInThreads } = PermissionFlagsBits;

const attachingBits: Requirement<ChannelPlace> = {
  words: "Attach Files and Send Messages (in threads: Send Messages in Threads)",
  bits: ({ facts }) => AttachFiles | (isThread(facts) ? SendMessagesInThreads : SendMessages),
};

export const fileSend = defineTool({
  name: "discord_file_send",
  title: "Send files",
  description:
    "Fetches files from public https addresses and posts them as the bot in a Discord channel or thread. Pictures, sound, video, text, PDF, JSON and ZIP; 8 MiB in all. The person is always asked first.",
  family: "messages",
  kind: "write",
  // An address can carry words to whoever serves it: a model that was talked into one has to get past a person.
  asks: "always",
  repeatable: false,
  input: Type.Object(
    {
      channel_id: Type.Optional(channelArgument("Where. Default: the channel of this conversation.")),
      urls: Type.Array(Type.String({ minLength: 1, maxLength: maxAddress }), {
        minItems: 1,
        maxItems: maxFiles,
        description: "Where the files are.",
      }),
      content: Type.Optional(messageText("What stands above them.")),
    },
    { additionalProperties: false },
  ),
  output: messageShape,
  targets: {
    channel: {
      kind: "channel",
      argument: "channel_id",
      absent: "own",
      types: readable,
      speaks: true,
      needs: attachingBits,
    },
  },
  check({ urls, content = "" }, { channel }, authority, by) {
    for (const url of urls) readPublicUrl(url);
    return assertMayUseEmojis(customEmojiIds(content), channel, authority, by);
  },
  question({ urls, content }, { channel }) {
    const shown = urls.map((url) => readPublicUrl(url).href).join(" and ");
    const above = content === undefined ? "" : `, below ${saying(content)}`;
    return `Fetch ${shown} and post what is there in ${channel.actor.place}${above}?`;
  },
  audience: (_input, { channel }) => inChannel(channel),
  async run({ urls, content }, { channel }, context) {
    const files = await fetchAll(urls, context);
    const body = { files, ...(content === undefined ? {} : { content }) };
    const message = await post(channel, body, context);
    return { value: describeMessage(message), sources: [fromChannel(channel.facts.id)] };
  },
});

async function fetchAll(
  urls: readonly string[],
  { files, signal }: Pick<ChangeContext, "files" | "signal">,
): Promise<readonly FileToPost[]> {
  const isWelcome = (type: string) => endings.has(type);
  const fetched = await Promise.all(
    urls.map(async (url, at) => {
      const { bytes, type } = await files.fetch(url, { maxBytes, isWelcome, signal });
      return { name: nameOf(url, at, endings.get(type) ?? "bin"), contentType: type, data: bytes };
    }),
  );
  if (fetched.reduce((sum, { data }) => sum + data.byteLength, 0) <= maxBytes) return fetched;
  throw new AppError("invalid_arguments", "The files have more than 8 MiB together; send them one by one.");
}

/** After the last part of the address, as far as it is fit for a name. */
function nameOf(url: string, at: number, ending: string): string {
  const last = new URL(url).pathname.split("/").at(-1) ?? "";
  const stem = last.replace(/\.\w{1,8}$/, "").replaceAll(/[^\w.-]+/g, "_");
  return `${stem.replace(/^[_.]+/, "").slice(0, 60) || `file-${at + 1}`}.${ending}`;
}
