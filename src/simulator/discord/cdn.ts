/** Files that are kept; the oldest goes. */
const maxFiles = 200;

interface StoredFile {
  readonly content: string;
  readonly type: string;
}

/** Where Discord keeps attachments. Their addresses are the simulator's own once it listens. */
export class Cdn {
  base = "https://cdn.discordapp.com";
  readonly #files = new Map<string, StoredFile>();

  /** The address of a file, which is served when there is content. */
  put(channelId: string, id: string, filename: string, type: string, content?: string): string {
    const path = `/attachments/${channelId}/${id}/${encodeURIComponent(filename)}`;
    if (content !== undefined) this.#files.set(path, { content, type });
    for (const oldest of this.#files.keys()) {
      if (this.#files.size <= maxFiles) break;
      this.#files.delete(oldest);
    }
    return this.base + path;
  }

  serve(path: string): Response {
    const file = this.#files.get(path);
    if (file === undefined) return new Response("This content is no longer available.", { status: 404 });
    return new Response(file.content, { headers: { "content-type": file.type } });
  }
}
