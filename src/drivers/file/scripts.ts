/**
 * The texts that run on the storage host, by `sh -c TEXT breezeblock ARGUMENT…`. They are constants: all data comes as
 * positional arguments or on standard input. POSIX sh, GNU coreutils, GNU findutils, GNU grep and util-linux.
 *
 * Only object names (`volume-<uuid>`) are ever joined with other text, so no path made here starts with a dash or
 * holds a blank. `${…}` is avoided, because it would be TypeScript's.
 */
import { findExpression } from "./layout.ts";
import { qcow2HeaderBytes } from "./qcow2.ts";

/** Exit codes with a meaning of their own; every other failure is 1 or the tool's. */
export const exitCodes = {
  /** The marker in the directory is another one than expected, or gone. */
  identityMismatch: 10,
  /** The metadata file is no longer what the decision was made from. */
  changed: 11,
  /** The reservation is written; the data has to be copied by a job. */
  needsCopy: 12,
  /** No reflink, and a copy would not be of one point in time. Nothing was made. */
  cannotReflink: 13,
} as const;

const fail = String.raw`set -u
fail() { printf '%s\n' "$2" >&2; exit "$1"; }
`;

// $1 directory. "Cannot see it" must never look like "nothing there".
const enterForReading = `${fail}
[ -e "$1" ] || fail 1 "the directory $1 does not exist or cannot be reached"
[ -d "$1" ] || fail 1 "$1 is not a directory"
cd -- "$1" || exit 1
[ -r . ] || fail 1 "the directory $1 cannot be read"
[ ! -d .breezeblock ] || [ -x .breezeblock ] || fail 1 "the directory $1/.breezeblock cannot be entered"
`;

// Prints one line a file: PASS, type, apparent size, 512-byte blocks, path. A name that vanishes meanwhile is no error.
const findNames = String.raw`
names() {
  set -- "$1" .
  [ ! -d .breezeblock/creating ] || set -- "$1" . .breezeblock/creating
  pass=$1; shift
  find "$@" -mindepth 1 -maxdepth 1 -ignore_readdir_race -regextype posix-extended \
    -regex '${findExpression}' -printf "$pass %y %s %b %p\n" || exit 1
}
headers() {
  printf 'headers\n'
  find . -mindepth 1 -maxdepth 1 -ignore_readdir_race -regextype posix-extended \
    -regex '${findExpression}' -name '*.qcow2' -type f -exec head -v -c ${qcow2HeaderBytes} -- {} +
}
`;

/**
 * `DIRECTORY`. Names are listed before and after the contents, so that a file that comes or goes meanwhile is told
 * apart from one that cannot be read; `grep -H` puts its file's name before each line of a metadata file, so that none
 * can pretend to be another's or break the parsing. Headers come last because they are binary.
 */
export const listScript = String.raw`${enterForReading}${findNames}
if [ -e .breezeblock/identity ]; then
  printf 'marker\n'
  grep -aH '' .breezeblock/identity
fi
names 1
find . -mindepth 1 -maxdepth 1 -ignore_readdir_race -regextype posix-extended \
  -regex '${findExpression}' -name '*.json' -type f -size -2049 -exec grep -aH '' {} +
names 2
headers
exit 0
`;

/** `DIRECTORY`. The file system's size, then names and qcow2 headers as in the listing. */
export const statsScript = `${enterForReading}${findNames}
stat -f -c 'space %S %b %f %a' . || exit 1
names 2
headers
exit 0
`;

/** `DIRECTORY FORMAT`. All that a backend needs, proven before anything is asked of it. */
export const checkScript = `${enterForReading}
[ -w . ] && [ -x . ] || fail 1 "the directory $1 cannot be written"
for tool in find grep head stat truncate sync cp mv rm od xargs; do
  command -v "$tool" >/dev/null || fail 1 "$tool is not installed (package coreutils, findutils or grep)"
done
for tool in flock setsid fallocate; do
  command -v "$tool" >/dev/null || fail 1 "$tool is not installed (package util-linux)"
done
[ "$2" != qcow2 ] || command -v qemu-img >/dev/null || fail 1 'qemu-img is not installed (package qemu-utils)'
find . -maxdepth 0 -ignore_readdir_race -regextype posix-extended -printf '' 2>/dev/null ||
  fail 1 'find is not GNU find (package findutils)'
grep -aH '' /dev/null 2>&1
[ $? -le 1 ] || fail 1 'grep has no option -a or -H (package grep)'
for path in .breezeblock .breezeblock/lock .breezeblock/creating .breezeblock/jobs; do
  [ ! -e "$path" ] || [ -w "$path" ] || fail 1 "$1/$path cannot be written"
done
exit 0
`;

/**
 * `DIRECTORY UUID`. Prints the marker that stands in the end. Takes the backend's own lock file, because nobody can
 * hold the backend's lock before this has run, and because hard links do not exist everywhere.
 */
export const identityScript = String.raw`${enterForReading}
[ -d .breezeblock ] || mkdir .breezeblock 2>/dev/null || [ -d .breezeblock ] || mkdir .breezeblock || exit 1
exec 9>>.breezeblock/lock || exit 1
flock -w 60 9 || {
  [ $? -ne 1 ] || fail 1 "the lock $1/.breezeblock/lock is held by another process"
  exit 1
}
mkdir -p .breezeblock/creating .breezeblock/jobs || exit 1
if [ ! -e .breezeblock/identity ]; then
  printf '{"breezeblock":1,"identity":"%s"}\n' "$2" > .breezeblock/identity.new &&
    sync -- .breezeblock/identity.new &&
    mv -f -- .breezeblock/identity.new .breezeblock/identity &&
    sync -- .breezeblock . || { rm -f -- .breezeblock/identity.new; exit 1; }
fi
cat -- .breezeblock/identity
`;

// $1 directory, $2 identity. Everything that changes something starts here: should another file system have appeared
// at this path since the listing, nothing happens to it.
const enterForChange = String.raw`${fail}
cd -- "$1" || exit 1
marker=
IFS= read -r marker < .breezeblock/identity
case $marker in
  *"\"$2\""*) ;;
  *) fail ${exitCodes.identityMismatch} "the marker $1/.breezeblock/identity does not hold the identity $2" ;;
esac
[ -d .breezeblock/creating ] && [ -d .breezeblock/jobs ] || mkdir -p .breezeblock/creating .breezeblock/jobs || exit 1
shift 2

# Removes what killed commands left: half-made files, and metadata whose data is gone.
sweep() {
  for leftover do
    case $leftover in
      .breezeblock/creating/*) rm -f -- "$leftover" ;;
      *) [ -e "$leftover.raw" ] || [ -e "$leftover.qcow2" ] || rm -f -- "$leftover.json" ;;
    esac
  done
}

# unchanged NAME LINE
unchanged() {
  current=
  IFS= read -r current < "$1.json"
  [ "$current" = "$2" ] ||
    fail ${exitCodes.changed} "the metadata file $1.json was changed by something that does not hold the lock"
}

# write NAME LINE. The second try, by a program, is for its words: the shell itself says only "I/O error".
write() {
  { printf '%s\n' "$2" > ".breezeblock/creating/$1.json"; } 2>/dev/null ||
    env printf '%s\n' "$2" > ".breezeblock/creating/$1.json"
}

# publish NAME LINE: the metadata file holds the old or the new line at any time, also after a power cut.
publish() {
  write "$1" "$2" && sync -- ".breezeblock/creating/$1.json" &&
    mv -f -- ".breezeblock/creating/$1.json" . && sync -- . && return 0
  rm -f -- ".breezeblock/creating/$1.json"
  exit 1
}

# size_of FILE FORMAT
size_of() {
  case $2 in
    raw) stat -c %s -- "$1" ;;
    qcow2) od -A n -t u8 --endian=big -j 24 -N 8 -- "$1" ;;
  esac
}

# grow FILE FORMAT PROVISIONING SIZE: never shrinks. Space is taken before the size changes, so that a full disk
# leaves the size as it was; truncate by nothing gives back what was taken beyond the end.
grow() {
  case $3.$2 in
    thin.raw) truncate -s ">$4" -- "$1" ;;
    thick.raw) fallocate -n -l "$4" -- "$1" && truncate -s ">$4" -- "$1" || { truncate -s +0 -- "$1"; return 1; } ;;
    thin.qcow2) [ "$(($(size_of "$1" "$2")))" -ge "$4" ] || qemu-img resize -q -f qcow2 "$1" "$4" ;;
    *) fail 1 "there is no $3 provisioning of $2 files" ;;
  esac
}
`;

/** `DIRECTORY IDENTITY LEFTOVER…` */
export const sweepScript = `${enterForChange}
sweep "$@"
sync -- .
`;

/**
 * `DIRECTORY IDENTITY NAME FORMAT PROVISIONING SIZE RESERVED LEFTOVER…`; stdin: the metadata line.
 *
 * Data and metadata are made whole, then moved into place. The object exists from the second move on: metadata
 * without data is nothing, and is swept. Where a reservation stands (RESERVED is yes), data goes first, so that a
 * kill between the two leaves the reservation.
 */
export const createScript = `${enterForChange}
name=$1 format=$2 provisioning=$3 size=$4 reserved=$5
shift 5
sweep "$@"
IFS= read -r line
data=$name.$format
half=.breezeblock/creating/$data
new=.breezeblock/creating/$name.json
undo() {
  rm -f -- "$half" "$new"
  [ "$reserved" = yes ] || [ -e "$data" ] || rm -f -- "$name.json"
  exit 1
}
if [ -e "$data" ]; then
  [ "$reserved" = yes ] || fail 1 "the file $data exists already"
  publish "$name" "$line"
  exit 0
fi
[ ! -e "$half" ] || rm -f -- "$half"
case $provisioning.$format in
  thin.raw) truncate -s "$size" -- "$half" ;;
  thick.raw) fallocate -l "$size" -- "$half" ;;
  thin.qcow2) qemu-img create -q -f qcow2 "$half" "$size" ;;
  *) fail 1 "there is no $provisioning provisioning of $format files" ;;
esac || undo
write "$name" "$line" && sync -- "$half" "$new" || undo
if [ "$reserved" = yes ]; then
  mv -f -- "$half" "$new" . || undo
else
  mv -f -- "$new" "$half" . || undo
fi
sync -- .
`;

/**
 * `DIRECTORY IDENTITY SOURCE NAME FORMAT PROVISIONING SIZE REFLINK FALLBACK LEFTOVER…`; stdin: the reservation, then
 * the metadata line. Prints the new size in bytes when a reflink did it at once.
 */
export const copyScript = `${enterForChange}
source=$1 name=$2 format=$3 provisioning=$4 size=$5 reflink=$6 fallback=$7
shift 7
sweep "$@"
IFS= read -r reservation
IFS= read -r line
data=$name.$format
half=.breezeblock/creating/$data
new=.breezeblock/creating/$name.json
undo() {
  rm -f -- "$half" "$new"
  [ -e "$data" ] || rm -f -- "$name.json"
  exit 1
}
[ -f "$source" ] || fail 1 "the file $source is gone"
[ ! -e "$data" ] || fail 1 "the file $data exists already"
words='thick volumes share no blocks with their copies'
if [ "$reflink" = yes ] && words=$(cp --reflink=always -- "$source" "$half" 2>&1); then
  grow "$half" "$format" "$provisioning" "$size" || undo
  write "$name" "$line" && sync -- "$half" "$new" && mv -f -- "$new" "$half" . && sync -- . || undo
  size_of "$data" "$format"
  exit 0
fi
[ ! -e "$half" ] || rm -f -- "$half"
[ "$fallback" = yes ] || fail ${exitCodes.cannotReflink} "$words"
if [ "$provisioning" = thick ]; then needed=$size; else needed=$(($(stat -c '%b*%B' -- "$source"))); fi
free=$(($(stat -f -c '%a*%S' .)))
[ "$needed" -le "$free" ] || fail 1 "No space left on device: copying $source takes $needed bytes, $free are free"
publish "$name" "$reservation"
exit ${exitCodes.needsCopy}
`;

/**
 * `DIRECTORY IDENTITY SOURCE NAME FORMAT REFLINK`. A detached job, without the lock: it writes nothing but the
 * half-made file of a reservation.
 */
export const copyJobScript = String.raw`${fail}
cd -- "$1" || exit 1
marker=
IFS= read -r marker < .breezeblock/identity
case $marker in
  *"\"$2\""*) ;;
  *) fail ${exitCodes.identityMismatch} "the marker $1/.breezeblock/identity does not hold the identity $2" ;;
esac
half=.breezeblock/creating/$4.$5
[ -e "$4.json" ] || fail 1 "the reservation $4.json was removed"
[ ! -e "$4.$5" ] || exit 0
cp --reflink="$6" --sparse=always -- "$3" "$half" && sync -- "$half" || { rm -f -- "$half"; exit 1; }
`;

/**
 * `DIRECTORY IDENTITY NAME FORMAT PROVISIONING SIZE LEFTOVER…`; stdin: the reservation as it stands, then the metadata
 * line. Prints the size in bytes.
 */
export const completeScript = `${enterForChange}
name=$1 format=$2 provisioning=$3 size=$4
shift 4
sweep "$@"
IFS= read -r reservation
IFS= read -r line
data=$name.$format
half=.breezeblock/creating/$data
new=.breezeblock/creating/$name.json
unchanged "$name" "$reservation"
if [ -e "$data" ]; then
  publish "$name" "$line"
else
  [ -f "$half" ] || fail 1 "the copied file $half is not there"
  grow "$half" "$format" "$provisioning" "$size" || exit 1
  write "$name" "$line" && sync -- "$half" "$new" && mv -f -- "$half" "$new" . && sync -- . ||
    { rm -f -- "$new"; exit 1; }
fi
size_of "$data" "$format"
`;

/** `DIRECTORY IDENTITY NAME FORMAT PROVISIONING SIZE LEFTOVER…`; stdin: the metadata line. Prints the size in bytes. */
export const extendScript = `${enterForChange}
name=$1 format=$2 provisioning=$3 size=$4
shift 4
sweep "$@"
IFS= read -r line
unchanged "$name" "$line"
[ -f "$name.$format" ] || fail 1 "the file $name.$format is gone"
grow "$name.$format" "$format" "$provisioning" "$size" && sync -- "$name.$format" || exit 1
size_of "$name.$format" "$format"
`;

/** `DIRECTORY IDENTITY NAME LEFTOVER…`; stdin: the metadata line as it stands, then the new one. */
export const updateScript = `${enterForChange}
name=$1
shift
sweep "$@"
IFS= read -r line
IFS= read -r changed
unchanged "$name" "$line"
publish "$name" "$changed"
`;

/**
 * `DIRECTORY IDENTITY NAME FORMAT LEFTOVER…`; stdin: the metadata line. The object is gone with its data; metadata
 * that a kill leaves behind it is nothing, and is swept.
 */
export const deleteScript = `${enterForChange}
name=$1 format=$2
shift 2
sweep "$@"
IFS= read -r line
unchanged "$name" "$line"
rm -f -- ".breezeblock/creating/$name.$format" "$name.$format" || exit 1
rm -f -- "$name.json" || exit 1
sync -- .
`;

/**
 * `DIRECTORY IDENTITY LEFTOVER…`; stdin: for each object its name, its metadata line as it stands and the new one.
 * All are written and synced together, then moved into place.
 */
export const updateManyScript = String.raw`${enterForChange}
sweep "$@"
written=
while IFS= read -r name && IFS= read -r line && IFS= read -r changed; do
  unchanged "$name" "$line"
  write "$name" "$changed" || { rm -f -- ".breezeblock/creating/$name.json"; exit 1; }
  written="$written .breezeblock/creating/$name.json"
done
[ -n "$written" ] || exit 0
sync -f -- .breezeblock/creating &&
  printf '%s\n' $written | xargs mv -f -t . -- &&
  sync -- .
`;
