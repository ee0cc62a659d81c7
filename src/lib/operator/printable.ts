/** Text that others wrote, for a terminal, which it must not steer. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, "\u{FFFD}");
}
