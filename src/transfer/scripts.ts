/**
 * The texts that move a volume's content, by `sh -c TEXT breezeblock ARGUMENT…` on a storage host. They are constants: all data
 * comes as positional arguments or on standard input. POSIX sh, GNU coreutils and util-linux; qemu-img for qcow2 files.
 *
 * Content goes as a stream of pieces. What holds nothing but zeros is left out, whatever it is stored in:
 *
 *     data OFFSET LENGTH\n   followed by so many bytes
 *     end SIZE\n             the last line; without it, the stream was cut off
 */

/** How much is looked at at a time, in bytes: a piece that holds anything but zeros is sent whole. */
export const pieceBytes = 32 * 1024 ** 2;

/** Exit codes with a meaning of their own; every other failure is 1 or a tool's. */
export const exitCodes = {
  /** The place is not the volume's any more. */
  otherPlace: 21,
  /** What was written does not read as what it was copied from. */
  differs: 22,
} as const;

const library = String.raw`set -u
fail() { printf '%s\n' "$2" >&2; exit "$1"; }
piece=${pieceBytes}
scratch=
trap '[ -z "$scratch" ] || rm -rf -- "$scratch"' EXIT
trap 'exit 143' TERM
trap 'exit 129' HUP

# prove FORMAT PATH PROOF TEXT
prove() {
  found=
  if [ "$1" = block ]; then
    set -- "$@" $(stat -L -c '%t %T' -- "$3")
    [ $# -eq 6 ] || exit 1
    IFS= read -r found < "/sys/dev/block/$((0x$5)):$((0x$6))/dm/uuid"
    [ "$found" = "$4" ] || fail ${exitCodes.otherPlace} "the device $3 is not the one with the UUID $4"
  else
    IFS= read -r found < "$3"
    case $found in
      *"$4"*) ;;
      *) fail ${exitCodes.otherPlace} "the marker $3 does not hold $4" ;;
    esac
  fi
  [ -e "$2" ] || fail ${exitCodes.otherPlace} "$2 is not there"
}

# alone: nobody else writes to what is open as 3, as what is left of an earlier run may for a while.
alone() {
  flock -w 10 3 || fail 1 'another run is still writing to it'
}

# name ROLE FORMAT PATH: leaves in "named" what the functions below call it. qemu-img takes pieces of content as files, and
# no comma in a name.
name() {
  named=$3
  [ "$2" = qcow2 ] || return 0
  command -v qemu-img >/dev/null || fail 1 'qemu-img is not installed (package qemu-utils)'
  [ -n "$scratch" ] || scratch=$(mktemp -d) || exit
  named=$scratch/$1
  ln -s -- "$3" "$named" || exit
}

# part PATH OFFSET LENGTH: of a qcow2 file's content, for qemu-img.
part() {
  printf '%s' "driver=raw,offset=$2,size=$3,file.driver=qcow2,file.file.driver=file,file.file.filename=$1"
}

# take FORMAT PATH OFFSET LENGTH: so much of the content, on standard output.
take() {
  case $1 in
    block) dd if="$2" bs=1M iflag=direct,skip_bytes,count_bytes skip="$3" count="$4" status=none ;;
    raw) dd if="$2" bs=1M iflag=skip_bytes,count_bytes skip="$3" count="$4" status=none ;;
    qcow2)
      rm -f -- "$scratch/taken"
      qemu-img convert -q --image-opts "$(part "$2" "$3" "$4")" -O raw "$scratch/taken" && cat -- "$scratch/taken"
      ;;
  esac
}

# is_empty FORMAT PATH OFFSET LENGTH: what cannot be read is not empty, and fails when it is sent.
is_empty() {
  [ "$({ take "$@" 2>/dev/null || printf x; } | tr -d '\000' | head -c 1 | wc -c)" -eq 0 ]
}

# send FORMAT PATH SIZE
send() {
  offset=0
  while [ "$offset" -lt "$3" ]; do
    length=$piece
    [ $(($3 - offset)) -ge "$length" ] || length=$(($3 - offset))
    if ! is_empty "$1" "$2" "$offset" "$length"; then
      printf 'data %s %s\n' "$offset" "$length"
      take "$1" "$2" "$offset" "$length" || exit
    fi
    offset=$((offset + length))
  done
  printf 'end %s\n' "$3"
}

# put FORMAT PATH OFFSET LENGTH sparse|whole: writes so much of standard input.
put() {
  case $1.$5 in
    qcow2.*)
      rm -f -- "$scratch/put"
      dd of="$scratch/put" bs=64K iflag=fullblock,count_bytes count="$4" status=none || return
      [ "$(stat -c %s -- "$scratch/put")" -eq "$4" ] || return 1
      # qcow2 sizes are whole sectors.
      truncate -s %512 -- "$scratch/put" || return
      qemu-img convert -q -n -f raw --target-image-opts "$scratch/put" "$(part "$2" "$3" "$(stat -c %s -- "$scratch/put")")"
      ;;
    *.sparse)
      dd of="$2" bs=64K iflag=fullblock,count_bytes oflag=seek_bytes conv=notrunc,nocreat,sparse \
        seek="$3" count="$4" status=none
      ;;
    *)
      dd of="$2" bs=1M iflag=fullblock,count_bytes oflag=seek_bytes conv=notrunc,nocreat seek="$3" count="$4" status=none
      ;;
  esac
}

# zero PATH FROM TO
zero() {
  [ "$2" -lt "$3" ] || return 0
  blkdiscard --zeroout -o "$2" -l $(($3 - $2)) "$1" 2>/dev/null ||
    dd if=/dev/zero of="$1" bs=1M iflag=count_bytes oflag=seek_bytes conv=notrunc,nocreat \
      seek="$2" count=$(($3 - $2)) status=none
}

# receive FORMAT PATH SIZE EXPECTED sparse|whole: EXPECTED is what is to come; what is beyond reads as zeros.
receive() {
  written=0 complete=
  while read -r word from many; do
    case $word in
      data)
        [ "$5" = sparse ] || zero "$2" "$written" "$from" || exit
        put "$1" "$2" "$from" "$many" "$5" || fail 1 "writing $many bytes at $from failed"
        written=$((from + many))
        printf 'copied %s of %s bytes\n' "$written" "$4"
        ;;
      end)
        [ "$from" = "$4" ] || fail 1 "$from bytes came in place of $4"
        complete=yes
        break
        ;;
      *) fail 1 'what came was no content' ;;
    esac
  done
  [ -n "$complete" ] || fail 1 'the content was cut off'
  # Nothing comes, but the sender ends first: who ends closes what the other one writes to.
  cat > /dev/null
  [ "$5" = sparse ] || zero "$2" "$written" "$3" || exit
  sync -- "$2"
}

# content FORMAT PATH SIZE TOTAL: the content and zeros up to the total. Fails where it cannot all be read.
content() {
  case $1 in
    qcow2)
      offset=0
      while [ "$offset" -lt "$3" ]; do
        length=$piece
        [ $(($3 - offset)) -ge "$length" ] || length=$(($3 - offset))
        take "$1" "$2" "$offset" "$length" || return
        offset=$((offset + length))
      done
      ;;
    *) take "$1" "$2" 0 "$3" || return ;;
  esac
  head -c "$(($4 - $3))" /dev/zero
}

# sum FORMAT PATH SIZE TOTAL: of the content and of zeros up to the total. Two ends that cannot be read from the same place
# on must not compare equal: so what was read is counted.
sum() {
  told=$({ { { content "$@" || echo unread >&9; } | tee /dev/fd/8 | sha256sum >&9; } 8>&1 | wc -c >&9; } 9>&1)
  digest= count=
  for word in $told; do
    case $word in
      unread) fail 1 "not all of $2 could be read" ;;
      -) ;;
      *) if [ "$(printf %s "$word" | wc -c)" -eq 64 ]; then digest=$word; else count=$word; fi ;;
    esac
  done
  [ "$count" = "$4" ] || fail 1 "$count bytes of $2 could be read in place of $4"
  [ -n "$digest" ] || fail 1 "no checksum of $2 could be made"
  printf '%s\n' "$digest"
}
`;

/** `FORMAT PATH PROOF TEXT SIZE`: prints the content as a stream. */
export const sendScript = `${library}
prove "$1" "$2" "$3" "$4"
name from "$1" "$2"
send "$1" "$named" "$5"
`;

/** `FORMAT PATH PROOF TEXT SIZE EXPECTED sparse|whole`; stdin: the stream. The open descriptor keeps a device from being removed. */
export const receiveScript = `${library}
# Opening makes what is missing.
[ -e "$2" ] || fail 1 "$2 is not there any more"
exec 3<>"$2" || exit 1
alone
prove "$1" "$2" "$3" "$4"
name to "$1" "$2"
receive "$1" "$named" "$5" "$6" "$7"
`;

/** `FORMAT PATH PROOF TEXT SIZE TOTAL`: prints the SHA-256 of the content with zeros up to the total. */
export const sumScript = `${library}
prove "$1" "$2" "$3" "$4"
name from "$1" "$2"
sum "$1" "$named" "$5" "$6"
`;

/**
 * `FORMAT PATH PROOF TEXT SIZE` of the source, `FORMAT PATH PROOF TEXT SIZE sparse|whole` of the target, which are on one host, and
 * `TOKEN`, which tells one job from another.
 * A detached job: copies, then proves that both read the same.
 */
export const copyScript = `${library}
[ -e "$7" ] || fail 1 "$7 is not there any more"
exec 3<>"$7" || exit 1
alone
prove "$1" "$2" "$3" "$4"
prove "$6" "$7" "$8" "$9"
name from "$1" "$2"
from_format=$1 from_path=$named from_size=$5
name to "$6" "$7"
to_format=$6 to_path=$named
shift 9
to_size=$1 mode=$2
send "$from_format" "$from_path" "$from_size" | receive "$to_format" "$to_path" "$to_size" "$from_size" "$mode" || exit
printf 'copied; comparing %s bytes\\n' "$to_size"
one=$(sum "$from_format" "$from_path" "$from_size" "$to_size") || exit
other=$(sum "$to_format" "$to_path" "$to_size" "$to_size") || exit
[ "$one" = "$other" ] || fail ${exitCodes.differs} "the copy's checksum is $other, and not $one"
`;
