import type { Tool } from "../tool.ts";
import { attachmentRead } from "./attachment-read.ts";
import { fileSend } from "./file-send.ts";
import { messageDelete } from "./message-delete.ts";
import { messageEdit } from "./message-edit.ts";
import { messageGet } from "./message-get.ts";
import { messageHistory } from "./message-history.ts";
import { messagePin } from "./message-pin.ts";
import { messageReply } from "./message-reply.ts";
import { messageSend } from "./message-send.ts";
import { messageUnpin } from "./message-unpin.ts";
import { messagesDelete } from "./messages-delete.ts";
import { messagesSearch } from "./messages-search.ts";
import { pinsList } from "./pins-list.ts";

export const messagesTools: readonly Tool[] = [
  messageHistory,
  messagesSearch,
  messageGet,
  pinsList,
  attachmentRead,
  messageSend,
  messageReply,
  fileSend,
  messageEdit,
  messageDelete,
  messagesDelete,
  messagePin,
  messageUnpin,
];
