import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Stands in for `ssh`: runs the far side's command line through `sh -c` in a session of its own, as sshd does. */
const SSH = `#!/bin/sh
forward=
while [ $# -gt 0 ]; do
  case $1 in
    --) shift; break ;;
    -W) forward=$2; shift 2 ;;
    -o | -p) shift 2 ;;
    *) shift ;;
  esac
done
destination=$1
shift
echo "$destination" >>"$FOLDER/calls"
case $destination in
  gone) echo "ssh: connect to host gone port 22: No route to host" >&2; exit 255 ;;
  stranger) echo "Host key verification failed." >&2; exit 255 ;;
esac
[ -z "$forward" ] || exec "$NODE" "$FOLDER/forward.mjs" "$forward"
echo "** welcome to $destination **" >&2
exec 3<&0
if command -v setsid >/dev/null 2>&1; then setsid sh -c "$*" <&3 3<&- & else set -m; sh -c "$*" <&3 3<&- & fi
wait $!
code=$?
if [ -e "$FOLDER/drop" ]; then echo "client_loop: send disconnect: Broken pipe" >&2; exit 255; fi
exit $code
`;

const FORWARD = `
import { connect } from 'node:net';
const [, host, port] = /^(.*):(\\d+)$/.exec(process.argv[2]);
const socket = connect(Number(port), host.replace(/[[\\]]/g, ''), () => {
  console.error('debug1: mux_client_request_stdio_fwd: master session id: 2');
  process.stdin.pipe(socket).pipe(process.stdout);
});
socket.on('error', () => {
  console.error('Stdio forwarding request failed: Session open refused by peer');
  process.exit(255);
});
`;

/** Puts a stand-in for ssh first on PATH until disposed. */
export function installFakeSsh(): { folder: string; dispose: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'fake-ssh-'));
  const path = process.env.PATH;
  // Programs get a small environment, so what it needs is written into it.
  writeFileSync(join(folder, 'ssh'), SSH.replaceAll('$FOLDER', folder).replaceAll('$NODE', process.execPath));
  writeFileSync(join(folder, 'forward.mjs'), FORWARD);
  chmodSync(join(folder, 'ssh'), 0o755);
  process.env.PATH = `${folder}:${path}`;
  return {
    folder,
    dispose: () => {
      process.env.PATH = path;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
