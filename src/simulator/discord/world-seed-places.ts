import { PermissionFlagsBits } from "discord-api-types/v10";
import { demoIds } from "./demo-ids.ts";
import type { ChannelSeed, MessageSeed, OverwriteSeed } from "./seed.ts";

const { ViewChannel, SendMessages, SendMessagesInThreads, AddReactions } = PermissionFlagsBits;

/** Harbour's channels and threads. */
export function demoChannels(): ChannelSeed[] {
  const { channels, roles, users, tags, guildId, botId } = demoIds;
  const unheard: OverwriteSeed = {
    id: roles.muted,
    type: "role",
    deny: SendMessages | SendMessagesInThreads | AddReactions,
  };
  return [
    { id: channels.category, name: "Quayside", kind: "category" },
    { id: channels.general, name: "general", kind: "text", parentId: channels.category, topic: "Say hello" },
    { id: channels.help, name: "help", kind: "text", parentId: channels.category, topic: "Ask the crew" },
    {
      id: channels.random,
      name: "random",
      kind: "text",
      parentId: channels.category,
      slowModeSeconds: 5,
      overwrites: [unheard],
    },
    {
      id: channels.staff,
      name: "staff",
      kind: "text",
      overwrites: [
        { id: guildId, type: "role", deny: ViewChannel },
        { id: roles.moderator, type: "role", allow: ViewChannel },
        { id: botId, type: "member", allow: ViewChannel },
      ],
    },
    {
      id: channels.announcements,
      name: "announcements",
      kind: "announcement",
      overwrites: [{ id: guildId, type: "role", deny: SendMessages }],
    },
    { id: channels.voice, name: "Wheelhouse", kind: "voice", parentId: channels.category },
    {
      id: channels.thread,
      name: "spring regatta",
      kind: "thread",
      parentId: channels.general,
      ownerId: users.ana,
    },
    {
      id: channels.privateThread,
      name: "surprise party",
      kind: "private_thread",
      parentId: channels.general,
      ownerId: users.moderator,
    },
    {
      id: channels.forum,
      name: "ideas",
      kind: "forum",
      topic: "What should the harbour do next?",
      overwrites: [unheard],
      tags: [
        { id: tags.boats, name: "boats" },
        { id: tags.tea, name: "tea" },
        { id: tags.approved, name: "approved", moderated: true },
      ],
    },
    {
      id: channels.post,
      name: "A floating dock",
      kind: "thread",
      parentId: channels.forum,
      ownerId: users.ana,
      appliedTags: [tags.boats],
    },
    {
      id: channels.sharedThread,
      name: "boat names",
      kind: "private_thread",
      parentId: channels.general,
      ownerId: users.moderator,
      memberIds: [users.ana],
    },
    {
      id: channels.archivedThread,
      name: "knots of last year",
      kind: "thread",
      parentId: channels.help,
      ownerId: users.ben,
      archived: true,
    },
  ];
}

/** What was said there before. */
export function demoMessages(): MessageSeed[] {
  const { channels, users } = demoIds;
  return [
    {
      channelId: channels.general,
      authorId: users.owner,
      minutesAgo: 2880,
      content: "Welcome to Harbour! Read the topic, then say hello.",
    },
    {
      channelId: channels.general,
      authorId: users.ana,
      minutesAgo: 1500,
      content: "Hello all. The regatta is on the first Saturday of May.",
    },
    {
      channelId: channels.general,
      authorId: users.ben,
      minutesAgo: 1490,
      content: "Count me in for the regatta, I can bring tea.",
    },
    { channelId: channels.help, authorId: users.ben, minutesAgo: 300, content: "How do I tie a bowline?" },
    {
      channelId: channels.help,
      authorId: users.moderator,
      minutesAgo: 290,
      content: "Make a loop, up through it, round the post and back down.",
    },
    {
      channelId: channels.staff,
      authorId: users.moderator,
      minutesAgo: 200,
      content: "Keys to the boathouse are with Olive.",
    },
    { channelId: channels.thread, authorId: users.ana, minutesAgo: 120, content: "Who brings the flags?" },
    {
      id: channels.post,
      channelId: channels.post,
      authorId: users.ana,
      minutesAgo: 0,
      content: "A floating dock would rise with the tide.",
    },
    { channelId: channels.post, authorId: users.ben, minutesAgo: 60, content: "And with the tea." },
    {
      channelId: channels.sharedThread,
      authorId: users.moderator,
      minutesAgo: 50,
      content: "I vote for Teaspoon.",
    },
    {
      channelId: channels.privateThread,
      authorId: users.moderator,
      minutesAgo: 40,
      content: "Olive must not hear of the band.",
    },
  ];
}
