/** A kind of secret that shows by its own form. */
export interface SecretFormat {
  kind: string;
  /** Texts of which one must occur (in lower case), so that most lines cost one search and no expression. */
  hints: readonly string[];
  /**
   * Must be linear: every repetition is bounded or starts only where the character before it could not belong to it.
   * What is replaced is the group `secret`, or else the whole match.
   */
  pattern: RegExp;
}

/** Keys of well-known services, by the prefixes their makers publish for scanners. */
export const secretFormats: readonly SecretFormat[] = [
  {
    kind: 'aws-key',
    hints: ['akia', 'asia', 'abia', 'acca'],
    pattern: /(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])/g,
  },
  {
    kind: 'github-token',
    hints: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'],
    pattern: /(?<![A-Za-z0-9_])(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})/g,
  },
  { kind: 'gitlab-token', hints: ['glpat-'], pattern: /(?<![A-Za-z0-9_-])glpat-[A-Za-z0-9_-]{20,255}/g },
  {
    kind: 'slack-token',
    hints: ['xox', 'xapp-'],
    pattern: /(?<![A-Za-z0-9-])(?:xox[abceoprs]|xapp)-[A-Za-z0-9-]{10,255}/g,
  },
  {
    kind: 'slack-webhook',
    hints: ['hooks.slack.com'],
    pattern: /hooks\.slack\.com\/(?:services|workflows|triggers)\/(?<secret>[A-Za-z0-9/_-]{16,255})/g,
  },
  {
    kind: 'stripe-key',
    hints: ['k_live_', 'k_test_', 'whsec_'],
    pattern: /(?<![A-Za-z0-9_])(?:[srp]k_(?:live|test)_[A-Za-z0-9]{10,255}|whsec_[A-Za-z0-9+/=]{16,255})/g,
  },
  { kind: 'anthropic-key', hints: ['sk-ant-'], pattern: /(?<![A-Za-z0-9_-])sk-ant-[A-Za-z0-9_-]{16,255}/g },
  {
    kind: 'openai-key',
    hints: ['sk-'],
    pattern:
      /(?<![A-Za-z0-9_-])sk-(?:(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,255}|[A-Za-z0-9]{20,255}(?![A-Za-z0-9_-]))/g,
  },
  {
    kind: 'google-key',
    hints: ['aiza', 'ya29.', 'gocspx-'],
    pattern: /(?<![A-Za-z0-9_-])(?:AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,1024}|GOCSPX-[A-Za-z0-9_-]{20,64})/g,
  },
  { kind: 'npm-token', hints: ['npm_'], pattern: /(?<![A-Za-z0-9_])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])/g },
  { kind: 'hugging-face-token', hints: ['hf_'], pattern: /(?<![A-Za-z0-9_])hf_[A-Za-z0-9]{30,64}(?![A-Za-z0-9])/g },
  {
    kind: 'sendgrid-key',
    hints: ['sg.'],
    pattern: /(?<![A-Za-z0-9_.-])SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}/g,
  },
  {
    kind: 'telegram-token',
    hints: [':aa'],
    pattern: /(?:(?<=\/bot)|(?<![A-Za-z0-9]))\d{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])/g,
  },
  { kind: 'age-key', hints: ['age-secret-key-'], pattern: /(?<![A-Za-z0-9-])AGE-SECRET-KEY-1[A-Za-z0-9]{40,80}/gi },
  // Three parts, the first of which is a JSON object (`eyJ`), the second too when it is signed.
  {
    kind: 'jwt',
    hints: ['eyj'],
    pattern: /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,8192}\.[A-Za-z0-9_-]{8,16384}\.[A-Za-z0-9_-]{0,8192}/g,
  },
];

/** Credentials that show by where they stand. */
export const secretPlaces: readonly SecretFormat[] = [
  // The whole rest of the header's value: its scheme says nothing that a reader would miss.
  {
    kind: 'authorization',
    hints: ['authorization'],
    pattern:
      /(?<![A-Za-z0-9])authorization\\{0,2}["']?[ \t]{0,4}[:=][ \t]{0,4}\\{0,2}["']?(?:(?:bearer|basic|digest|token|negotiate|apikey)[ \t]{1,4})?(?<secret>[^\s"'\\,;]{1,8192})/gi,
  },
  {
    kind: 'cookie',
    hints: ['cookie'],
    pattern:
      /(?<![A-Za-z0-9])(?:set-)?cookie\\{0,2}["']?[ \t]{0,4}:[ \t]{0,4}\\{0,2}["']?(?<secret>[^\s"'\\][^\r\n"'\\]{0,8191})/gi,
  },
  {
    kind: 'bearer',
    hints: ['bearer', 'basic'],
    pattern:
      /(?<![A-Za-z0-9])(?:bearer|basic)[ \t]{1,4}(?<secret>(?=[A-Za-z._~+/-]{0,128}\d)[A-Za-z0-9._~+/-]{12,8192}={0,2})/gi,
  },
  { kind: 'url-password', hints: ['://'], pattern: /:\/\/[^\s:/?#@"'<>]{0,128}:(?<secret>[^\s/?#@"'<>]{1,256})@/g },
  { kind: 'url-token', hints: ['://'], pattern: /:\/\/(?<secret>[A-Za-z0-9_-]{20,256})@/g },
  {
    kind: 'url-signature',
    hints: ['sig'],
    pattern: /[?&](?:sig|x-amz-signature|x-goog-signature)=(?<secret>[A-Za-z0-9%+/=_-]{16,1024})/gi,
  },
  {
    kind: 'argument',
    hints: ['-pass', '-token', '-secret', '-api'],
    pattern:
      /(?<![^\s"'=[,])--?(?:[a-z]{1,20}-){0,3}(?:password|passwd|passphrase|pass|token|secret|api-?key|secret-key|access-key)(?:["'],[ \t]{0,4}["']|[ \t]{1,4})(?<secret>[^\s"',\]-][^\s"',\]]{0,1023})/gi,
  },
  // Redis' own configuration, and SQL that sets a password.
  {
    kind: 'password',
    hints: ['requirepass', 'masterauth', 'password', 'identified'],
    pattern:
      /(?<![A-Za-z0-9_])(?:(?:requirepass|masterauth)[ \t]{1,4}["']?|(?:password|identified by)[ \t]{1,4}')(?<secret>[^\s"'<]{1,256})/gi,
  },
  {
    kind: 'password',
    hints: ['password>', 'secret>', 'token>', 'apikey>', 'passwd>'],
    pattern: /<[A-Za-z:_.-]{0,40}(?:password|passwd|secret|token|apikey)>(?<secret>[^<>\r\n]{1,1024})<\//gi,
  },
];
