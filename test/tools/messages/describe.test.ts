import { describe, expect, test } from "bun:test";
import {
  type APIMessage,
  type APIUser,
  ComponentType,
  EmbedType,
  MessageReferenceType,
  MessageType,
} from "discord-api-types/v10";
import { describeMessage, seemsWithheld } from "../../../src/tools/messages/describe.ts";

const author: APIUser = {
  id: "100000000000000001",
  username: "ana",
  global_name: null,
  discriminator: "0",
  avatar: null,
};

function message(part: Partial<APIMessage>): APIMessage {
  return {
    id: "100000000000000002",
    channel_id: "100000000000000003",
    author,
    content: "",
    timestamp: "2026-05-01T00:00:00+00:00",
    edited_timestamp: null,
    tts: false,
    mention_everyone: false,
    mentions: [],
    mention_roles: [],
    attachments: [],
    embeds: [],
    pinned: false,
    type: MessageType.Default,
    ...part,
  };
}

const reference = {
  type: MessageReferenceType.Default,
  message_id: "100000000000000009",
  channel_id: "100000000000000003",
};

describe("a message as tools give it", () => {
  test("holds nothing that is not there", () => {
    expect(describeMessage(message({ content: "hello" }))).toEqual({
      message_id: "100000000000000002",
      author: { user_id: author.id, username: "ana", display_name: "ana" },
      content: "hello",
      timestamp: "2026-05-01T00:00:00+00:00",
    });
  });

  test("says when what it replies to was deleted", () => {
    const reply = message({
      type: MessageType.Reply,
      message_reference: reference,
      referenced_message: null,
    });
    expect(describeMessage(reply)).toMatchObject({
      reply_to: { message_id: reference.message_id, deleted: true },
    });
  });

  test("names what Discord itself wrote, bots, pins, stickers, polls, embeds and what was forwarded", () => {
    expect(describeMessage(message({ type: MessageType.UserJoin }))).toMatchObject({ type: "UserJoin" });
    const rich = message({
      author: { ...author, bot: true },
      pinned: true,
      sticker_items: [{ id: "1", name: "wave", format_type: 1 }],
      embeds: [{ type: EmbedType.Rich, title: "Tides", description: "x".repeat(600) }],
      message_snapshots: [
        {
          message: {
            type: MessageType.Default,
            content: "from elsewhere",
            embeds: [],
            attachments: [],
            timestamp: "",
            edited_timestamp: null,
            mentions: [],
            mention_roles: [],
          },
        },
      ],
    });
    expect(describeMessage(rich)).toMatchObject({
      author: { bot: true },
      pinned: true,
      stickers: ["wave"],
      embeds: [{ title: "Tides", description: "x".repeat(500) }],
      forwarded: ["from elsewhere"],
    });
  });
});

describe("content that was kept back", () => {
  test("shows in a person's message with nothing in it at all", () => {
    expect(seemsWithheld(message({}))).toBe(true);
    expect(seemsWithheld(message({ type: MessageType.Reply, message_reference: reference }))).toBe(true);
  });

  test.each<[string, Partial<APIMessage>]>([
    ["content", { content: "x" }],
    ["a bot", { author: { ...author, bot: true } }],
    ["a message of Discord's", { type: MessageType.UserJoin }],
    ["a sticker", { sticker_items: [{ id: "1", name: "wave", format_type: 1 }] }],
    ["an embed", { embeds: [{ type: EmbedType.Rich }] }],
    ["components", { components: [{ type: ComponentType.ActionRow, components: [] }] }],
    ["something forwarded", { message_snapshots: [{ message: message({}) }] }],
  ])("does not show with %s", (_what, part) => {
    expect(seemsWithheld(message(part))).toBe(false);
  });
});
