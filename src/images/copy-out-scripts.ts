import { fail } from "./scripts.ts";

/**
 * The texts that copy a volume's content out to an image, run on the storage host as those of `scripts.ts` are.
 *
 * Of an image that is being written there is a directory `out_<id>` below the staging directory: `source`, a link to what is
 * read; `part`, a link to the file that is being written; `image`, the whole file, where it goes to another machine.
 */

/** Exit codes with a meaning of their own; every other failure is 1 or the tool's. */
export const copyOutCodes = {
  /** A file of that name is there. */
  exists: 21,
  /** Somebody still works with it. */
  busy: 22,
  /** The file is not the one that was made. */
  differs: 23,
  /** There is no such file. */
  missing: 24,
} as const;

const start = `${fail}umask 077
is_there() { [ -e "$1" ] || [ -L "$1" ]; }
`;

/**
 * `STAGING ID FILE FORMAT compressed|plain` and, of the source, `FORMAT PATH PROOF TEXT SIZE`; a detached job. FILE is empty for
 * an image that is fetched from here afterwards. Writes the image beside its place, under a name of its own, and gives it its
 * name once all of it is on the disk, in place of nothing. Prints `image SIZE SHA256` at the end. Repeatable.
 */
export const copyOutScript = String.raw`${start}
directory=$1/out_$2 id=$2 file=$3 format=$4 compression=$5
from=$6 path=$7 proof=$8 text=$9
shift 9
size=$1
mkdir -p -- "$directory" && cd -- "$directory" || exit 1
if [ -n "$file" ]; then
  parent=${"$"}{file%/*}/
  [ -d "$parent" ] || fail ${copyOutCodes.missing} "there is no directory $parent"
  work=$file.breezeblock-$id.part
else
  work=image.part
fi
published=
trap '[ -n "$published" ] || rm -f -- "$work"' EXIT
trap 'exit 143' TERM
trap 'exit 129' HUP
ln -sfn -- "$work" part || exit 1
if [ -n "$file" ] && is_there "$file"; then
  # Ours, where an earlier run of this job was killed just before its end.
  [ "$work" -ef "$file" ] || fail ${copyOutCodes.exists} "a file $file is there already"
else
  rm -f -- image "$work" || exit 1
  found=
  if [ "$from" = block ]; then
    set -- $(stat -L -c '%t %T' -- "$proof")
    [ $# -eq 2 ] || exit 1
    IFS= read -r found < "/sys/dev/block/$((0x$1)):$((0x$2))/dm/uuid"
    [ "$found" = "$text" ] || fail 1 "the device $proof is not the one with the UUID $text"
  else
    IFS= read -r found < "$proof"
    case $found in *"$text"*) ;; *) fail 1 "the marker $proof does not hold $text" ;; esac
  fi
  exec 3<"$path" || exit 1
  ln -sfn -- "$path" source || exit 1
  idle=; command -v ionice >/dev/null && idle='ionice -c 3'
  case $from.$format in
    raw.raw) $idle cp --reflink=auto --sparse=always -- source "$work" || exit 1 ;;
    block.raw)
      : > "$work" || exit 1
      at=0 step=268435456
      while [ "$at" -lt "$size" ]; do
        [ $((size - at)) -ge "$step" ] || step=$((size - at))
        $idle dd if=source of="$work" bs=1M iflag=direct,skip_bytes,count_bytes oflag=seek_bytes conv=notrunc,nocreat,sparse \
          skip="$at" seek="$at" count="$step" status=none || exit 1
        at=$((at + step))
        printf 'copied %s of %s bytes\n' "$at" "$size"
      done
      truncate -s "$size" -- "$work" || exit 1
      ;;
    *)
      command -v qemu-img >/dev/null || fail 1 'qemu-img is not installed (package qemu-utils)'
      case $from in
        block) options=driver=raw,file.driver=host_device cache=none ;;
        *) options=driver=$from,file.driver=file cache=writeback ;;
      esac
      compress=; [ "$compression" != compressed ] || compress=-c
      prlimit --as=4294967296 $idle qemu-img convert -p $compress -T "$cache" -O "$format" --image-opts \
        "$options,file.filename=source" "$work" || exit 1
      ;;
  esac
  exec 3<&-
  sync -- "$work" || exit 1
fi
sum=$(sha256sum < "$work") && bytes=$(stat -c %s -- "$work") || exit 1
printf '\nimage %s %s\n' "$bytes" "${"$"}{sum%% *}"
if [ -n "$file" ]; then
  if ! [ "$work" -ef "$file" ] && ! ln -T -- "$work" "$file" 2>/dev/null; then
    # A file system without hard links.
    ! is_there "$file" && mv -nT -- "$work" "$file" && ! is_there "$work" ||
      fail ${copyOutCodes.exists} "a file $file is there already, or cannot be made"
  fi
  published=yes
  sync -- "$parent" && rm -f -- "$work"
else
  published=yes
  mv -f -- "$work" image && sync -- .
fi
`;

/** `STAGING ID`: prints the image that the job has left there. The lock tells others that it is being read. */
export const fetchScript = `${start}
cd -- "$1/out_$2" && exec 9<image && flock -n -s 9 || exit 1
cat <&9
`;

/** `STAGING ID`: removes what an ended job has left, but for an image in its place. Absent is success. */
export const discardScript = `${start}
[ -d "$1/out_$2" ] || exit 0
cd -- "$1/out_$2" || exit 1
if [ -e image ]; then
  exec 9<image
  flock -n -x 9 || fail ${copyOutCodes.busy} 'the image is being fetched'
fi
work=$(readlink -- part)
case $work in
  image.part|*".breezeblock-$2.part") rm -f -- "$work" || exit 1 ;;
esac
rm -f -- image source part && rmdir -- "$1/out_$2"
`;

/** `FILE`: its size in bytes. A code of its own where it is not there. */
export const sizeScript = `${start}
is_there "$1" || exit ${copyOutCodes.missing}
stat -L -c %s -- "$1"
`;

/** `FILE SIZE SHA256`: removes the file, where it has just this content. A detached job. Absent is success. */
export const removeScript = `${start}
is_there "$1" || exit 0
[ ! -L "$1" ] && [ -f "$1" ] || fail ${copyOutCodes.differs} 'it is not a plain file'
before=$(stat -c '%i %s %y' -- "$1") || exit 1
bytes=$(stat -c %s -- "$1") || exit 1
[ "$bytes" = "$2" ] || fail ${copyOutCodes.differs} "it has $bytes bytes in place of $2"
sum=$(sha256sum < "$1") || exit 1
[ "\${sum%% *}" = "$3" ] || fail ${copyOutCodes.differs} "its sha256 checksum is \${sum%% *}, not $3"
[ "$(stat -c '%i %s %y' -- "$1")" = "$before" ] || fail ${copyOutCodes.differs} 'it is being written to'
rm -f -- "$1"
`;
