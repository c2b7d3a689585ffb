/**
 * What an operator can do about something that the operating system has refused: a sentence with the path of it. Null
 * for any other error. https://nodejs.org/api/errors.html#common-system-errors
 */
export function systemTrouble(error: unknown): string | null {
  if (!(error instanceof Error) || !("path" in error) || !("code" in error)) return null;
  const { path } = error;
  switch (error.code) {
    case "EACCES":
    case "EPERM":
      return `This user may not use ${path}; run this as the user who runs the service, or give this user the right.`;
    case "EROFS":
      return `${path} is on a read-only file system; name a place that can be written.`;
    case "ENOSPC":
    case "EDQUOT":
      return `There is no room on the disk for ${path}; make room there, or name another place.`;
    case "ENOTDIR":
    case "EEXIST":
      return `${path} cannot be made: a file is in its place, or in the place of its folder; name another place.`;
    default:
      return null;
  }
}
