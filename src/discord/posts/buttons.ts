import {
  type APIActionRowComponent,
  type APIButtonComponentWithCustomId,
  ButtonStyle,
  ComponentType,
} from "discord-api-types/v10";
import type { Approval } from "../../agent/approvals.ts";

/** What a pressed button says. */
export interface Press {
  readonly approvalId: string;
  readonly approved: boolean;
}

const labels: Readonly<Record<Approval["kind"], readonly [yes: string, no: string]>> = {
  tool: ["Approve", "Deny"],
  answer: ["Post it here", "Send it to me"],
};

const customId = /^(approve|deny):(a_[\w-]{22})$/;

/** The buttons of a question. They name the approval and nothing else: whoever presses one is looked at anew. */
export function buttonsOf(
  approvalId: string,
  kind: Approval["kind"],
): APIActionRowComponent<APIButtonComponentWithCustomId> {
  const [yes, no] = labels[kind];
  const button = (
    word: "approve" | "deny",
    label: string,
    style: APIButtonComponentWithCustomId["style"],
  ) => ({
    type: ComponentType.Button as const,
    custom_id: `${word}:${approvalId}`,
    label,
    style,
  });
  return {
    type: ComponentType.ActionRow,
    components: [
      button("approve", yes, kind === "tool" ? ButtonStyle.Success : ButtonStyle.Secondary),
      button("deny", no, kind === "tool" ? ButtonStyle.Danger : ButtonStyle.Primary),
    ],
  };
}

/** Null for a button that is none of these. */
export function readButton(id: string | undefined): Press | null {
  const [, word, approvalId] = customId.exec(id ?? "") ?? [];
  return approvalId === undefined ? null : { approvalId, approved: word === "approve" };
}
