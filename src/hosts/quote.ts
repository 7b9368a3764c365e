const PLAIN = /^[A-Za-z0-9_@%+:,./-]+$/;

/** One word for a POSIX shell that reaches the program exactly as it stands here. (A NUL byte cannot: no argument may hold one.) */
export const quote = (word: string): string => (PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** A whole command line of such words. */
export const quoteAll = (words: readonly string[]): string => words.map(quote).join(' ');
