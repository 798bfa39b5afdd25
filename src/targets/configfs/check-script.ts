import { stateDirectory } from "./common-script.ts";

/** `MODULE…`. All that a kernel target needs, proven before anything is asked of it. Prints the host's addresses. */
export const checkScript = `set -u
umask 077
fail() { printf '%s\\n' "$1" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail 'exporting volumes needs root; set become on the host'
for tool in flock mount; do
  command -v "$tool" >/dev/null || fail "$tool is not installed (package util-linux)"
done
for tool in find grep xargs sed stat sync readlink; do
  command -v "$tool" >/dev/null || fail "$tool is not installed (package findutils, grep, sed or coreutils)"
done
[ "$(command -v printf)" = printf ] || fail 'the printf of /bin/sh is not a builtin, and passwords would show in the process list'
for module do
  [ -d "/sys/module/$module" ] || words=$(modprobe "$module" 2>&1) || fail "the kernel module $module cannot be loaded: $words"
done
grep -q ' /sys/kernel/config configfs ' /proc/mounts || mount -t configfs configfs /sys/kernel/config || exit 1
mkdir -p -- ${stateDirectory}/exports || exit 1
ip -o address 2>/dev/null
exit 0
`;
