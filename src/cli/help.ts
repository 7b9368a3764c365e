/** What is shown below a verb's options: how it is used, as somebody would type it. */
export const examples: Readonly<Record<string, readonly string[]>> = {
  watch: [
    'nightshift watch                     day and night; Ctrl-C stops it cleanly',
    'nightshift watch --once              one cycle, then exit 0, or 1 when something is failing',
    'nightshift watch --mode observe      only look and tell, whatever the file says',
    'nightshift watch --json              one JSON object a line, for a log',
  ],
  ask: [
    'nightshift ask "why is checkout slow?"',
    'nightshift ask "what happened last night?" --json',
    'nightshift ask                       a conversation',
  ],
  check: [
    'nightshift check                     all of them: exit 0, 1 (something fails) or 2 (cannot run)',
    'nightshift check api cache           only these services',
    'nightshift check --json              for cron and systemd timers',
  ],
  status: ['nightshift status', 'nightshift status --json'],
  incidents: ['nightshift incidents --open', 'nightshift incidents --limit 100 --json'],
  show: ['nightshift show 12', 'nightshift show 12 --markdown > report.md', 'nightshift show 12 --json'],
  fix: [
    'nightshift fix api --dry-run         what would be done, and why; nothing is',
    'nightshift fix api',
    'nightshift fix api "Process hangs"   by the runbook of this name',
  ],
  resolve: [
    'nightshift resolve 12 --by "restart cache"     it is proved to hold, and remembered',
    'nightshift resolve 12 --by "the provider mended it"',
    'nightshift resolve 12 --no-proof               close it as it is',
  ],
  reopen: ['nightshift reopen 12 "it is slow again"'],
  note: ['nightshift note 12 "the provider had an outage"'],
  approvals: ['nightshift approvals', 'nightshift approvals --json'],
  approve: ['nightshift approve A7'],
  deny: ['nightshift deny A7 --because "not during the sale"'],
  runbooks: [
    'nightshift runbooks                  all that are known, with their symptoms',
    'nightshift runbooks facts            what a symptom may ask for',
    'nightshift runbooks show "Process hangs"',
    'nightshift runbooks allow "Flush the queue" --risk reversible',
  ],
  ping: ['backup.sh && nightshift ping backup   for the check  - heartbeat: backup'],
  init: ['nightshift init --print', 'nightshift init --config ~/.config/nightshift/nightshift.yaml'],
  schema: [
    'nightshift schema > nightshift.schema.json',
    '# and as the first line of nightshift.yaml:',
    '# yaml-language-server: $schema=./nightshift.schema.json',
  ],
  doctor: ['nightshift doctor', 'nightshift doctor --json'],
  demo: ['nightshift demo', 'nightshift demo --keep       leaves its folder, to look around in'],
};
