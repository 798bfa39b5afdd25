/**
 * The texts that run on the storage host, by `sh -c TEXT breezeblock ARGUMENT…`; all data comes as positional arguments or
 * on standard input. POSIX sh, coreutils, util-linux; curl, qemu-img and the decompressors where they are needed.
 *
 * An image's directory holds these and nothing else: `run`, the run that it belongs to; `url` (for curl; not an argument,
 * which everybody could read); the image as it was fetched and without compression while they are being written,
 * `image.part` and `disk.part`, or `upload.RUN` and `unpacked.RUN` where a run sends it; `disk`, whole and proven, which is
 * never replaced.
 */

/** Exit codes with a meaning of their own; every other failure is 1 or the tool's. */
export const exitCodes = {
  /** It cannot be fetched from this host. */
  notFetched: 20,
  /** There is no such file. */
  missing: 21,
  /** The image itself is at fault. */
  unacceptable: 22,
  /** The checksum is another one. */
  checksum: 23,
  /** Another run has taken the image's directory over. */
  takenOver: 24,
  /** It is not in the image cache. */
  notCached: 25,
} as const;

export const fail = String.raw`set -u
fail() { printf '%s\n' "$2" >&2; exit "$1"; }
`;

const clean = `
empty() { rm -f -- "$1/image" "$1/image.part" "$1/disk" "$1/disk.part"; }
discard_uploads() { rm -f -- "$1"/upload.* "$1"/unpacked.*; }
clean() {
  [ -d "$1" ] || return 0
  empty "$1" && discard_uploads "$1" && rm -f -- "$1/url" "$1/run" && rmdir -- "$1"
}
`;

const own = `
# own RUN: ends where the directory is another run's.
own() {
  owner=
  { IFS= read -r owner < run; } 2>/dev/null
  [ -n "$1" ] && [ "$owner" = "$1" ] || fail ${exitCodes.takenOver} 'another run has taken over'
}
`;

/**
 * `STAGING ID RUN keep|discard KEPT…`; stdin: what curl is to be told. Makes an image's directory, or the one that is there
 * that run's, with or without what was fetched to it, and removes those of volumes that are not being made (any more).
 */
export const prepareScript = `${fail}${clean}
mkdir -p -- "$1" && cd -- "$1" || exit 1
id=$2 run=$3 fetched=$4
shift 4
kept=" $id $* "
for entry in *-*-*-*-*; do
  case $kept in *" $entry "*) ;; *) clean "./$entry" || exit 1 ;; esac
done
mkdir -p -- "$id" && printf '%s\n' "$run" > "$id/run" && discard_uploads "$id" || exit 1
[ "$fetched" = keep ] || empty "$id" || exit 1
cat > "$id/url"
`;

/** `STAGING ID`. Absent is success. */
export const cleanScript = `${fail}${clean}
[ -d "$1" ] || exit 0
cd -- "$1" && clean "./$2"
`;

/** `STAGING ID RUN LIMIT`; stdin: the image. To a file of that run only: others may be sending the same. */
export const uploadScript = `${fail}${own}
cd -- "$1/$2" || exit 1
own "$3"
exec prlimit --fsize="$4" dd of="upload.$3" bs=1M iflag=fullblock status=none
`;

/**
 * `STAGING ID MODE REFERENCE BYTES ALGORITHM DIGEST COMPRESSION LIMIT`; a detached job, as long as it takes. MODE: `url` and
 * `path` fetch; `uploaded` takes what the run REFERENCE has sent and must have BYTES. Leaves the `disk`, its checksum proven. Nothing that is
 * written here may be larger than LIMIT bytes.
 */
export const stageScript = String.raw`${fail}${own}
cd -- "$1/$2" || exit 1
mode=$3 reference=$4 bytes=$5 algorithm=$6 digest=$7 compression=$8 limit=$9
received=image.part unpacked=disk.part
if [ "$mode" = uploaded ]; then
  own "$reference"
  received=upload.$reference unpacked=unpacked.$reference
fi
[ ! -e disk ] || exit 0
rm -f -- "$unpacked" || exit 1
case $mode in
  path)
    [ -e "$reference" ] || fail ${exitCodes.missing} "there is no file $reference"
    [ -f "$reference" ] || fail ${exitCodes.missing} "$reference is not a file"
    found=$(stat -L -c %s -- "$reference") || exit 1
    [ "$found" -le "$limit" ] ||
      fail ${exitCodes.unacceptable} "it has $found bytes, and $limit is the most for a volume of this size"
    cp --reflink=auto --sparse=always -- "$reference" image.part || exit 1
    ;;
  url)
    command -v curl >/dev/null || fail ${exitCodes.notFetched} 'curl is not installed'
    rm -f -- image.part
    (while sleep 5; do printf 'fetched %s bytes\n' "$(stat -c %s image.part 2>/dev/null)"; done) &
    monitor=$!
    prlimit --fsize="$limit" curl -q --config url -sS -f -L --max-redirs 5 --connect-timeout 15 \
      --speed-limit 1 --speed-time 120 -o image.part
    code=$?
    kill "$monitor"
    [ "$code" -ne 153 ] || fail ${exitCodes.unacceptable} "it has more than $limit bytes, the most for a volume of this size"
    # It came, and cannot be written: sending it again would end the same.
    [ "$code" -ne 23 ] || fail 1 'what was fetched cannot be written'
    [ "$code" -eq 0 ] || exit ${exitCodes.notFetched}
    ;;
  uploaded)
    found=$(stat -c %s -- "$received") || exit 1
    [ "$found" = "$bytes" ] || fail 1 "$found bytes of it arrived, and $bytes were sent"
    ;;
esac
printf 'fetched %s bytes\n' "$(stat -c %s -- "$received")"
if [ "$algorithm" != none ]; then
  said=$("$algorithm"sum < "$received") || exit 1
  said=${"$"}{said%% *}
  [ "$said" = "$digest" ] || fail ${exitCodes.checksum} "its $algorithm checksum is $said, not $digest"
  printf 'checksum verified\n'
fi
if [ "$compression" = none ]; then
  mv -f -- "$received" "$unpacked" || exit 1
else
  case $compression in
    gzip) package=gzip ;;
    xz) package=xz-utils ;;
    zstd) package=zstd ;;
    bzip2) package=bzip2 ;;
    *) fail 1 "compression $compression is not known" ;;
  esac
  command -v "$compression" >/dev/null || fail 1 "$compression is not installed (package $package)"
  prlimit --fsize="$limit" "$compression" -dc < "$received" > "$unpacked"
  code=$?
  [ "$code" -ne 153 ] ||
    fail ${exitCodes.unacceptable} "decompressed it has more than $limit bytes, the most for a volume of this size"
  [ "$code" -eq 0 ] || fail ${exitCodes.unacceptable} "$compression cannot decompress it"
  rm -f -- "$received"
  printf 'decompressed to %s bytes\n' "$(stat -c %s -- "$unpacked")"
fi
sync -- "$unpacked" || exit 1
# Somebody may have looked at what is there already: that is never exchanged.
if ! ln -- "$unpacked" disk 2>/dev/null && [ ! -e disk ]; then
  # A file system without hard links.
  said=$(mv -n -T -- "$unpacked" disk 2>&1) || fail 1 "$said"
fi
rm -f -- "$unpacked"
`;

/** `FILE BYTES`: its size in bytes on a line, then so many of its first bytes. */
export const headScript = `${fail}
[ -f "$1" ] || fail ${exitCodes.missing} "there is no file $1"
stat -L -c %s -- "$1" && head -c "$2" -- "$1"
`;

// The file's name is our own, its format and protocol are said: QEMU opens nothing else, whatever the content names.
const source = (format: string) => `driver=${format},file.driver=file,file.filename=disk`;

/** Address space in bytes and processor time in seconds: an image is never worth more. */
const limits = "prlimit --as=2147483648 --cpu=120";

/** `DIRECTORY`. What QEMU makes of a qcow2 disk, in JSON, after a check of its tables. */
export const infoScript = `${fail}
cd -- "$1" || exit 1
command -v qemu-img >/dev/null || fail 1 'qemu-img is not installed (package qemu-utils)'
said=$(${limits} qemu-img check -q --image-opts '${source("qcow2")}' 2>&1)
case $? in
  0|3) ;;
  2) fail ${exitCodes.unacceptable} "it is damaged or cut off: $(printf '%s' "$said" | head -n 3)" ;;
  *) fail ${exitCodes.unacceptable} "qemu-img cannot check it: $(printf '%s' "$said" | head -n 3)" ;;
esac
${limits} qemu-img info --output=json --image-opts '${source("qcow2")}'
`;

/**
 * `DIRECTORY RUN FORMAT BYTES KIND PATH PROOF IDENTITY NEW`; a detached job that writes the `disk`, of so many bytes, to the
 * target and to nothing else, as long as the directory is that run's: who takes over says so there first and then ends this
 * job, so that one that starts late finds it said. KIND device: PROOF is what the device mapper calls it, NEW is `zeroed` where zeros need not
 * be written. KIND file: PROOF is a file that must hold IDENTITY, NEW the format. Can be repeated from the start.
 */
export const fillScript = String.raw`${fail}${own}
cd -- "$1" || exit 1
own "$2"
format=$3 bytes=$4 kind=$5 path=$6 proof=$7 identity=$8 new=$9
[ -f disk ] || fail 1 "the image is not there any more"
idle=; command -v ionice >/dev/null && idle='ionice -c 3'
convert() { prlimit --as=4294967296 $idle qemu-img convert -p --image-opts "$@"; }
opts="driver=$format,file.driver=file,file.filename=disk"
if [ "$kind" = file ]; then
  marker=
  IFS= read -r marker < "$proof"
  case $marker in *"\"$identity\""*) ;; *) fail 1 "the marker $proof does not hold the identity $identity" ;; esac
  rm -f -- "$path" || exit 1
  if [ "$format.$new" = raw.raw ]; then
    cp --reflink=auto --sparse=always -- disk "$path" || exit 1
  else
    convert -O "$new" "$opts" "$path" || exit 1
  fi
  sync -- "$path"
  exit
fi
[ -b "$path" ] || lvchange -ay -K "${"$"}{path#/dev/}" >/dev/null || exit 1
exec 3<>"$path" || exit 1
set -- $(stat -L -c '%t %T' -- "$path")
IFS= read -r dm_uuid < "/sys/dev/block/$((0x$1)):$((0x$2))/dm/uuid"
[ "$dm_uuid" = "$proof" ] || fail 1 "the device $path is not the one with the UUID $proof"
size=$(blockdev --getsize64 "$path") || exit 1
[ "$bytes" -le "$size" ] || fail 1 "the image has $bytes bytes, and the device $size"
at=0 step=268435456
if [ "$format" = raw ]; then
  sparse=; [ "$new" != zeroed ] || sparse=,sparse
  while [ "$at" -lt "$bytes" ]; do
    $idle dd if=disk of="$path" bs=1M iflag=skip_bytes,count_bytes oflag=direct,seek_bytes conv=notrunc,nocreat$sparse \
      skip="$at" seek="$at" count="$step" status=none || exit 1
    at=$((at + step))
    [ "$at" -le "$bytes" ] || at=$bytes
    printf 'written %s of %s bytes\n' "$at" "$bytes"
  done
else
  zeroed=; [ "$new" != zeroed ] || zeroed=--target-is-zero
  convert -n $zeroed -O raw "$opts" "$path" || exit 1
fi
if [ "$new" != zeroed ]; then
  force=; blkdiscard --help | grep -q -- --force && force=--force
  at=$bytes
  while [ "$at" -lt "$size" ]; do
    [ $((size - at)) -ge "$step" ] || step=$((size - at))
    [ $((at % 4096)) -eq 0 ] || [ "$step" -le $((4096 - at % 4096)) ] || step=$((4096 - at % 4096))
    $idle blkdiscard $force --zeroout -o "$at" -l "$step" "$path" 2>/dev/null ||
      $idle dd if=/dev/zero of="$path" bs=1M iflag=count_bytes oflag=seek_bytes conv=notrunc,nocreat \
        seek="$at" count="$step" status=none || exit 1
    at=$((at + step)) step=268435456
    printf 'cleared up to %s of %s bytes\n' "$at" "$size"
  done
fi
sync -- "$path"
`;
