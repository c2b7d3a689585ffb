import { type Brain, text } from "../reply.ts";
export const demoBrain: Brain = () => ({ blocks: [text("Hello")] });
