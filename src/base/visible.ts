/** What any of the below begins with, so that most texts cost one search. */
const ANY =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/u;
/** Colours, cursor moves (CSI), and titles, links or the clipboard (OSC, DCS and their kin, which end with BEL or ST). */
const SEQUENCES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  /(?:\u001b\[|\u009b)[0-?]{0,64}[ -/]{0,8}[@-~]|(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]{0,4096}(?:\u0007|\u001b\\|\u009c)/g;
/** Takes no room on a screen: soft hyphen, zero width, direction marks, tags. */
const UNSEEN = /[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * A text in which nothing is left that a terminal obeys or an eye misses: escape sequences and characters without width are
 * left out, other control characters shown as `␛`. Lines and tabs stay. A second time changes nothing.
 */
export function visible(text: string): string {
  if (!ANY.test(text)) return text;
  return text
    .replace(/\r\n/g, '\n')
    .replace(UNSEEN, '')
    .replace(SEQUENCES, '')
    .replace(CONTROL, (character) => {
      const code = character.charCodeAt(0);
      return code < 32 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? '␡' : '\ufffd';
    });
}
