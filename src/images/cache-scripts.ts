import { exitCodes, fail } from "./scripts.ts";

/**
 * The texts that keep images on the storage host for volumes to come. A kept image is a hard link to the `disk` that a volume was
 * filled from, named `KEY.SHA256`: KEY is the checksum of what is fetched, with how it is compressed; SHA256 is over the file itself, so
 * that what was kept is proven each time before it is used. Nothing writes to such a file; when it was used last is its
 * modification time.
 */

/**
 * `CACHE KEY STAGING ID LIMIT`; a detached job. Gives a kept image of at most LIMIT bytes its name as that volume's `disk`, or
 * ends with `notCached`. One that is not what it was is removed.
 */
export const cloneScript = String.raw`${fail}
cache=$1 key=$2 limit=$5
cd -- "$3/$4" || exit 1
for kept in "$cache/$key".*; do
  [ ! -e disk ] && [ -f "$kept" ] || continue
  found=$(stat -c %s -- "$kept") && [ "$found" -le "$limit" ] || continue
  said=$(sha256sum < "$kept") || continue
  if [ "${"$"}{said%% *}" != "${"$"}{kept##*.}" ]; then
    printf 'removed from the image cache, as it is damaged: %s\n' "$kept"
    rm -f -- "$kept"
    continue
  fi
  ln -- "$kept" disk 2>/dev/null || continue
  touch -c -- "$kept"
  printf 'taken from the image cache, %s bytes\n' "$found"
  exit 0
done
exit ${exitCodes.notCached}
`;

/**
 * `CACHE KEY STAGING ID LIMIT`; a detached job. Keeps that volume's `disk`, and removes those that were used longest ago until all
 * together take at most LIMIT bytes of the file system. One that alone takes more is not kept.
 */
export const keepScript = String.raw`${fail}
umask 077
key=$2 disk=$3/$4/disk limit=$5
mkdir -p -- "$1" && cd -- "$1" || exit 1
said=$(sha256sum < "$disk") || exit 1
said=${"$"}{said%% *}
case $key in
  sha256-*-plain) [ "$key" = "sha256-$said-plain" ] || fail 1 'it has changed since its checksum was verified' ;;
esac
name=$key.$said
blocks=$(stat -c %b -- "$disk") || exit 1
used=$((blocks * 512))
[ "$used" -le "$limit" ] || fail 1 "it takes $used bytes, and all images together may take $limit"
exec 9> lock && flock 9 || exit 1
found=$(find . -maxdepth 1 -type f -name '*.*' ! -name "$name" -printf '%T@ %b %f\n') || exit 1
others=$(printf '%s\n' "$found" | sort -n) || exit 1
ln -- "$disk" "$name" 2>/dev/null || [ -e "$name" ] || fail 1 'it cannot be linked there'
touch -c -- "$name"
while read -r time blocks file; do
  used=$((used + ${"$"}{blocks:-0} * 512))
done << END
$others
END
while [ "$used" -gt "$limit" ] && read -r time blocks file; do
  rm -f -- "./$file" || exit 1
  used=$((used - blocks * 512))
  printf 'removed from the image cache: %s\n' "$file"
done << END
$others
END
printf 'kept in the image cache, where %s of %s bytes are used\n' "$used" "$limit"
`;
