/**
 * What the file operations run on the far side, for `sh`. Nothing is ever put into these texts: what varies is `$1`, `$2`
 * and so on. They need POSIX tools, and of `stat`, `mv` and `sync` what the dialect says.
 */

/** GNU and busybox. `facts` prints token, mode (hexadecimal), size, time, owner, group, inode, path. */
export const linuxDialect = `
facts() { token=$1; shift; stat -c "$token %f %s %Y %u %g %i %n" -- "$@"; }
list() { find "$1" -mindepth 1 -maxdepth 1 -exec stat -c "$2 %f %s %Y %u %g %i %n" -- {} +; }
size() { stat -L -c %s -- "$1"; }
owner() { stat -c %u:%g -- "$1"; }
reached() { stat -L -c %u -- "$1"; }
device() { stat -L -c %d -- "$1"; }
move() { mv -fT -- "$1" "$2"; }
`;

/** macOS. Its %p is octal; the 0 in front says so. */
export const macDialect = `
facts() { token=$1; shift; stat -f "$token 0%p %z %m %u %g %i %N" -- "$@"; }
list() { find "$1" -mindepth 1 -maxdepth 1 -exec stat -f "$2 0%p %z %m %u %g %i %N" -- {} +; }
size() { stat -L -f %z -- "$1"; }
owner() { stat -f %u:%g -- "$1"; }
reached() { stat -L -f %u -- "$1"; }
device() { stat -L -f %d -- "$1"; }
move() { mv -fh -- "$1" "$2"; }
`;

/** Says whether a link may be followed: root, we, or the owner of what it leads to made it. As for local files. */
const VOUCH = `
vouch() {
  maker=$(owner "$1") || return 1
  maker=\${maker%%:*}
  [ "$maker" = 0 ] || [ "$maker" = "$(id -u)" ] || { [ -e "$1" ] && [ "$maker" = "$(reached "$1")" ]; } || {
    echo "it is a link made by another user ($maker) to something that is not theirs: not followed" >&2
    return 1
  }
}
`;

/** path, most bytes, offset or "end" -> "SIZE OFFSET", a line break, the bytes. */
export const READ = `
${VOUCH}
[ ! -L "$1" ] || vouch "$1" || exit 1
if [ ! -f "$1" ]; then
  if [ -e "$1" ]; then echo "it is not a file" >&2; else cat -- "$1" >/dev/null || :; fi
  exit 1
fi
[ -r "$1" ] || { echo "it may not be read by this user" >&2; exit 1; }
size=$(size "$1") || exit 1
from=$3
if [ "$from" = end ]; then
  from=$((size - $2))
  [ "$from" -ge 0 ] || from=0
fi
printf '%s %s\\n' "$size" "$from"
if [ "$from" -eq 0 ]; then head -c "$2" -- "$1"; else tail -c "+$((from + 1))" -- "$1" | head -c "$2"; fi
`;

/** path, suffix, bytes expected on stdin, mode or empty. A broken connection ends stdin early: then nothing is replaced. */
export const WRITE = `
${VOUCH}
place=$1
steps=0
while [ -L "$place" ]; do
  steps=$((steps + 1))
  [ "$steps" -le 40 ] || { echo "too many symbolic links" >&2; exit 1; }
  vouch "$place" || exit 1
  target=$(readlink "$place" && echo .) || exit 1
  target=\${target%??}
  case $target in /*) place=$target ;; *) place=\${place%/*}/$target ;; esac
done
if [ -e "$place" ] && [ ! -f "$place" ]; then echo "it is not a file" >&2; exit 1; fi
folder=\${place%/*}/
temporary=$folder.\${place##*/}$2
trap 'rm -f -- "$temporary"' EXIT
trap 'exit 1' HUP INT TERM
umask 077
mode=$4
if [ -f "$place" ]; then
  cp -p -- "$place" "$temporary" || exit 1
  if [ "$(owner "$place")" != "$(owner "$temporary")" ]; then
    chown "$(owner "$place")" "$temporary" || { echo "its owner could not be kept, so it is unchanged" >&2; exit 1; }
  fi
else
  : >"$temporary" || exit 1
  [ -n "$mode" ] || mode=644
fi
cat >"$temporary" || exit 1
[ "$(size "$temporary")" = "$3" ] || { echo "the content did not arrive whole, so it is unchanged" >&2; exit 1; }
[ -z "$mode" ] || chmod "$mode" "$temporary" || exit 1
sync "$temporary" 2>/dev/null || sync
move "$temporary" "$place" || exit 1
sync "$folder" 2>/dev/null || :
`;

/** path, token. Prints nothing when there is no such path. */
export const FACTS = `
if [ -e "$1" ] || [ -L "$1" ]; then facts "$2" "$1"; exit; fi
said=$(LC_ALL=C facts "$2" "$1" 2>&1) && { printf '%s\\n' "$said"; exit 0; }
case $said in *"No such file"* | *"Not a directory"*) exit 0 ;; esac
printf '%s\\n' "$said" >&2
exit 1
`;

/** directory, token. Entries that vanish meanwhile are left out. */
export const LIST = `
[ -d "$1" ] || { echo "it is not a directory" >&2; exit 1; }
[ -r "$1" ] || { echo "it may not be read by this user" >&2; exit 1; }
list "\${1%/}/" "$2" 2>/dev/null || :
`;

export const READ_LINKS = `for path; do readlink "$path" || :; printf '\\000'; done`;

export const RENAME = `
[ -e "$1" ] || [ -L "$1" ] || { echo "it does not exist" >&2; exit 1; }
if [ -d "$2" ] && [ ! -L "$2" ]; then echo "there is a directory in its place" >&2; exit 1; fi
parent() { case $1 in */*) printf '%s/' "\${1%/*}" ;; *) printf . ;; esac; }
if [ "$(device "$(parent "$1")")" != "$(device "$(parent "$2")")" ]; then echo "that is another file system" >&2; exit 1; fi
move "$1" "$2"
`;

export const REMOVE = `
if [ -d "$1" ] && [ ! -L "$1" ]; then rmdir -- "$1"; elif [ -e "$1" ] || [ -L "$1" ]; then rm -f -- "$1"; fi
`;

/** link, target, suffix. */
export const RELINK = `
if [ -e "$1" ] && [ ! -L "$1" ]; then echo "it is not a link" >&2; exit 1; fi
temporary=\${1%/*}/.\${1##*/}$3
ln -s -- "$2" "$temporary" || exit 1
if [ -L "$1" ] && [ "$(id -u)" = 0 ]; then chown -h "$(owner "$1")" "$temporary"; fi
move "$temporary" "$1" || { rm -f -- "$temporary"; exit 1; }
`;
