/**
 * The texts that run on the storage host, by `sh -c TEXT breezeblock ARGUMENT…`. They are constants: all data comes as
 * positional arguments or on standard input. POSIX sh, GNU coreutils, GNU findutils, GNU grep and util-linux.
 *
 * Only object names (`volume-<uuid>`) are ever joined with other text, so no path made here starts with a dash or
 * holds a blank. `${…}` is avoided, because it would be TypeScript's.
 */
import { findExpression } from "./layout.ts";
import { firstClusterBytes, qcow2HeaderBytes } from "./qcow2.ts";

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

// Prints one line a file: PASS, type, inode, apparent size, 512-byte blocks, path. A name that vanishes meanwhile is no error.
const findNames = String.raw`
names() {
  set -- "$1" .
  [ ! -d .breezeblock/creating ] || set -- "$1" . .breezeblock/creating
  pass=$1; shift
  find "$@" -mindepth 1 -maxdepth 1 -ignore_readdir_race -regextype posix-extended \
    -regex '${findExpression}' -printf "$pass %y %i %s %b %p\n" || exit 1
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
 * can pretend to be another's or break the parsing. Of files with several names the other ones are told, for those that were
 * adopted; a line break in one of them becomes a NUL. Headers come last because they are binary.
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
find . -mindepth 1 -maxdepth 1 -ignore_readdir_race -regextype posix-extended -type f -links +1 \
  ! -regex '${findExpression}' -printf 'link %i %p\0' | tr '\n\0' '\0\n'
headers
exit 0
`;

/** `DIRECTORY`. Prints when each file was written, in seconds, then the half-made metadata files as the listing does whole ones. */
export const leftoversScript = String.raw`${enterForReading}
set -- .
[ ! -d .breezeblock/creating ] || set -- . .breezeblock/creating
find "$@" -mindepth 1 -maxdepth 1 -ignore_readdir_race -regextype posix-extended \
  -regex '${findExpression}' -printf 'time %T@ %p\n' || exit 1
[ -d .breezeblock/creating ] || exit 0
cd .breezeblock/creating || exit 1
find . -mindepth 1 -maxdepth 1 -ignore_readdir_race -regextype posix-extended \
  -regex '${findExpression}' -name '*.json' -type f -size -2049 -exec grep -aH '' {} +
exit 0
`;

/**
 * `DIRECTORY`. The file system's size, the metadata of what is being made, then names and qcow2 headers as in the listing.
 * What becomes whole meanwhile is told by its name.
 */
export const statsScript = String.raw`${enterForReading}${findNames}
stat -f -c 'space %S %b %f %a' . || exit 1
find . -mindepth 1 -maxdepth 1 -ignore_readdir_race -regextype posix-extended \
  -regex '${findExpression}' -name '*.json' -type f -size -2049 -exec grep -aHF '"phase":"creating"' {} +
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

/** `DIRECTORY IDENTITY NAME FORMAT LEFTOVER…`; stdin: the reservation. */
export const reserveForImageScript = `${enterForChange}
name=$1 format=$2
shift 2
sweep "$@"
IFS= read -r reservation
[ ! -e "$name.$format" ] || fail 1 "the file $name.$format exists already"
rm -f -- ".breezeblock/creating/$name.$format" || exit 1
publish "$name" "$reservation"
`;

/**
 * `DIRECTORY IDENTITY NAME FORMAT PROVISIONING SIZE RESERVED LEFTOVER…`; stdin: the reservation's metadata line.
 *
 * An empty volume for somebody else to fill: the reservation first, because half-made data without one is rubbish. What
 * stands of it from before is kept, as far as it is whole.
 */
export const reserveScript = `${enterForChange}
name=$1 format=$2 provisioning=$3 size=$4 reserved=$5
shift 5
sweep "$@"
IFS= read -r line
half=.breezeblock/creating/$name.$format
[ ! -e "$name.$format" ] || fail 1 "the file $name.$format exists already"
if [ "$reserved" = yes ]; then
  unchanged "$name" "$line"
else
  rm -f -- "$half" || exit 1
  publish "$name" "$line"
fi
case $provisioning.$format in
  thin.raw) truncate -s "$size" -- "$half" ;;
  thick.raw) fallocate -l "$size" -- "$half" ;;
  thin.qcow2)
    [ -s "$half" ] && [ "$(($(size_of "$half" "$format")))" -eq "$size" ] || qemu-img create -q -f qcow2 "$half" "$size" ;;
  *) fail 1 "there is no $provisioning provisioning of $format files" ;;
esac || {
  [ "$reserved" = yes ] || rm -f -- "$half" "$name.json"
  exit 1
}
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

// The beginning of a job, which runs detached and without the lock. It writes nothing but one half-made file.
const startJob = String.raw`${fail}
cd -- "$1" || exit 1
marker=
IFS= read -r marker < .breezeblock/identity
case $marker in
  *"\"$2\""*) ;;
  *) fail ${exitCodes.identityMismatch} "the marker $1/.breezeblock/identity does not hold the identity $2" ;;
esac
half=.breezeblock/creating/$4.$5
[ -e "$4.json" ] || fail 1 "the metadata file $4.json was removed"
`;

// A copy is of one point in time only where nobody writes meanwhile. Whoever is attached is refused; others may write all the same.
const copyToHalf = `before=$(stat -c '%s %.Y' -- "$3") || exit 1
cp --reflink="$6" --sparse=always -- "$3" "$half" && sync -- "$half" || { rm -f -- "$half"; exit 1; }
[ "$(stat -c '%s %.Y' -- "$3")" = "$before" ] || {
  rm -f -- "$half"
  fail 1 "the file $3 was written to while it was copied, so that the copy is of no one moment: end what writes to it, and run again"
}`;

/** `DIRECTORY IDENTITY SOURCE NAME FORMAT REFLINK`: a copy for a reservation. */
export const copyJobScript = `${startJob}
[ ! -e "$4.$5" ] || exit 0
${copyToHalf}
`;

/**
 * `DIRECTORY IDENTITY SNAPSHOT NAME FORMAT PROVISIONING SIZE LEFTOVER…`; stdin: the metadata line as it stands, then the one
 * while the volume is put back. Refused where the copy has no room: it must not take it from other volumes half-way. What
 * can be a reflink needs none.
 */
export const revertMarkScript = `${enterForChange}
snapshot=$1 name=$2 format=$3 provisioning=$4 size=$5
shift 5
sweep "$@"
IFS= read -r line
IFS= read -r marked
unchanged "$name" "$line"
half=.breezeblock/creating/$name.$format
[ -f "$snapshot" ] || fail 1 "the file $snapshot is gone"
if [ "$provisioning" = thick ] || ! cp --reflink=always -- "$snapshot" "$half" 2>/dev/null; then
  rm -f -- "$half"
  if [ "$provisioning" = thick ]; then needed=$size; else needed=$(($(stat -c '%b*%B' -- "$snapshot"))); fi
  free=$(($(stat -f -c '%a*%S' .)))
  [ "$needed" -le "$free" ] || fail 1 "No space left on device: copying $snapshot takes $needed bytes, $free are free"
fi
rm -f -- "$half"
publish "$name" "$marked"
`;

/**
 * `DIRECTORY IDENTITY SNAPSHOT NAME FORMAT REFLINK MARK SIZE`: what is to take the place of a volume's data. Only while the mark
 * stands: started late, it would spoil what another restore makes. A thick volume's space is taken at once.
 */
export const revertJobScript = `${startJob}
IFS= read -r line < "$4.json"
case $line in
  *"\\"restoringMark\\":\\"$7\\""*) ;;
  *) fail ${exitCodes.changed} "the volume $4 is not being put back any more, or by another run" ;;
esac
${copyToHalf}
[ "$6" != never ] || fallocate -n -l "$8" -- "$half" || { rm -f -- "$half"; exit 1; }
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

/**
 * `DIRECTORY IDENTITY NAME FORMAT PROVISIONING SIZE LEFTOVER…`; stdin: the metadata line while the volume is put back,
 * then the one afterwards. A kill between the two moves leaves the former, and the copy is made again.
 */
export const completeRevertScript = `${enterForChange}
name=$1 format=$2 provisioning=$3 size=$4
shift 4
sweep "$@"
IFS= read -r marked
IFS= read -r line
half=.breezeblock/creating/$name.$format
new=.breezeblock/creating/$name.json
unchanged "$name" "$marked"
[ -f "$half" ] || exit ${exitCodes.needsCopy}
[ "$(($(size_of "$half" "$format")))" -eq "$size" ] || fail 1 "the copied file $half has not $size bytes"
grow "$half" "$format" "$provisioning" "$size" || exit 1
write "$name" "$line" && sync -- "$half" "$new" && mv -f -- "$half" . && sync -- . && mv -f -- "$new" . && sync -- . ||
  { rm -f -- "$new"; exit 1; }
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
 * `DIRECTORY IDENTITY NAME FORMAT FILE LEFTOVER…`; stdin: the metadata line. The object is gone with its data; metadata
 * that a kill leaves behind it is nothing, and is swept. FILE is the other name of an adopted file, otherwise empty: it
 * goes first, so that the object is there until all of it is gone, and only where it is that same file still.
 */
export const deleteScript = `${enterForChange}
name=$1 format=$2 file=$3
shift 3
sweep "$@"
IFS= read -r line
unchanged "$name" "$line"
if [ -n "$file" ] && [ "./$file" -ef "$name.$format" ]; then
  rm -f -- "./$file" || exit 1
fi
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

/**
 * `DIRECTORY`. Everything that stands in it beside our own files, told in records that end with NUL: the marker, the machine,
 * the device; `file`, `open` (may be read and written) and `head` (its first bytes in hexadecimal) of each file, more of a
 * qcow2 image that takes content from other files; `half`, by inode, of our own unfinished names; `used`, by device and inode,
 * of what anybody is known to have open or locked: the kernel, a process; `unseen` where processes hide what they have open.
 *
 * The table of locks shows those of every user's processes, as QEMU holds them on its images, by the file system's own device.
 */
export const manageableScript = String.raw`${enterForReading}
[ ! -e .breezeblock/identity ] || printf 'marker %s\0' "$(cat .breezeblock/identity)"
machine=
[ ! -r /etc/machine-id ] || IFS= read -r machine < /etc/machine-id
printf 'machine %s\0' "$machine"
device=$(stat -c %d .) || exit
printf 'device %s\0' "$device"
foreign() {
  find . -mindepth 1 -maxdepth 1 -ignore_readdir_race ! -name '.*' \( -type f -o -type l \) "$@"
}
foreign -exec stat --printf 'file %f %i %h %.9W %s %b %n\0' -- {} +
foreign -type f -readable -writable -printf 'open %p\0'
foreign -type f -readable -size +0 -regextype posix-extended \
  \( ! -regex '${findExpression}' -o -name '*.qcow2' \) -exec sh -c '
  for file do
    head=$(od -A n -v -t x1 -N ${qcow2HeaderBytes} -- "$file" | tr -d " \n")
    case $head in
      514649fb????????0000000000000000*[012389ab]) ;;
      514649fb*) head=$(od -A n -v -t x1 -N ${firstClusterBytes} -- "$file" | tr -d " \n") ;;
    esac
    printf "head %s %s\0" "$head" "$file"
  done' sh {} +
[ ! -d .breezeblock/creating ] || find .breezeblock/creating -type f -printf 'half %i\0'
used() {
  numbers=$(stat -L -c '%d %i' -- "$1" 2>/dev/null) && printf 'used %s %s\0' "$numbers" "$2"
}
for path in /sys/block/loop*/loop/backing_file /sys/kernel/config/target/core/*/*/udev_path \
  /sys/kernel/config/nvmet/subsystems/*/namespaces/*/device_path; do
  [ -r "$path" ] || continue
  target=
  IFS= read -r target < "$path"
  [ ! -e "$target" ] || used "$target" "the kernel ($path)"
done
while read -r swap _; do
  case $swap in /*) used "$swap" 'the kernel, as swap space' ;; esac
done < /proc/swaps
mount=$(stat -c %m .) disk=
while read -r _ _ numbers _ point _; do
  case $point in *\\*) point=$(printf '%b' "$point") ;; esac
  [ "$point" != "$mount" ] || disk=$numbers
done < /proc/self/mountinfo
IFS=: read -r major minor <<END
$disk
END
[ -z "$disk" ] || disk=$(printf '%02x:%02x' "$major" "$minor")
while IFS=' :' read -r _ _ _ _ process major minor inode _; do
  [ "$major:$minor" != "$disk" ] || printf 'lock %s %s\0' "$inode" "$process"
done < /proc/locks
[ "$(id -u)" = 0 ] || for opened in /proc/[0-9]*/fd; do
  [ -r "$opened" ] || { printf 'unseen\0'; break; }
done
find -L /proc/[0-9]*/fd -maxdepth 1 -type f -printf 'used %D %i %p\0' 2>/dev/null | grep -az "^used $device "
exit 0
`;

/** `DIRECTORY PATH…`: device and inode of each, a line each; an empty one for what is not there. */
export const whichFilesScript = `${enterForReading}
shift
for path do stat -L -c '%d %i' -- "$path" 2>/dev/null || echo; done
`;

/**
 * `DIRECTORY IDENTITY NAME FILE FORMAT INODE SIZE LEFTOVER…`; stdin: the metadata line. The file gets a second name, ours,
 * as a new volume's data gets its own, and its own metadata; nothing that a kill leaves behind is worth more than that name.
 */
export const manageScript = `${enterForChange}
name=$1 file=$2 format=$3 inode=$4 size=$5
shift 5
sweep "$@"
IFS= read -r line
data=$name.$format
half=.breezeblock/creating/$data
new=.breezeblock/creating/$name.json
undo() {
  rm -f -- "$half" "$new"
  [ -e "$data" ] || rm -f -- "$name.json"
  exit 1
}
[ ! -e "$data" ] || fail 1 "the file $data exists already"
[ ! -e "$half" ] || rm -f -- "$half"
ln -P -- "./$file" "$half" || undo
[ -f "$half" ] && [ ! -L "$half" ] && [ "$(stat -c '%i %s' -- "$half")" = "$inode $size" ] || {
  rm -f -- "$half"
  fail ${exitCodes.changed} "the file $file is not the one any more that was looked at, or has another size"
}
write "$name" "$line" && sync -- "$new" || undo
mv -f -- "$new" "$half" . || undo
sync -- .
`;

/**
 * `DIRECTORY IDENTITY NAME FORMAT FILE LEFTOVER…`; stdin: the metadata line. Our name of the file goes, then the metadata.
 * Where its first name is gone, it gets that back before; where another file has it, nothing happens.
 */
export const unmanageScript = `${enterForChange}
name=$1 format=$2 file=$3
shift 3
sweep "$@"
IFS= read -r line
unchanged "$name" "$line"
data=$name.$format
[ -f "$data" ] || fail 1 "the file $data is gone"
if [ ! -e "./$file" ] && [ ! -L "./$file" ]; then
  ln -P -- "$data" "./$file" || exit 1
fi
[ "./$file" -ef "$data" ] || fail ${exitCodes.changed} "another file has taken the name $file"
sync -- . && rm -f -- "$data" || exit 1
rm -f -- "$name.json" || exit 1
sync -- .
`;
