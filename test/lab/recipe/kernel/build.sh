#!/bin/sh
# Builds Linux as a program of its own (User-Mode Linux), in a root directory that holds Debian's kernel source
# and compiler: /out/linux, and /out/lib/modules.
# Usage: build.sh JOBS
set -eu
jobs=$1
mkdir /build /out
# What the packages' maintainer scripts would have done.
ln -s mawk /usr/bin/awk
echo 'root:x:0:0:root:/root:/bin/sh' >/etc/passwd
# Kconfig files are read of everything, sources of little: other machines' drivers stay packed.
tar -C /build --strip-components=1 -xf /usr/src/linux-source-*.tar.xz \
  --exclude='*/drivers/gpu/*.[ch]' --exclude='*/drivers/media/*.[ch]' --exclude='*/drivers/net/wireless/*.[ch]' \
  --exclude='*/drivers/net/ethernet/*.[ch]' --exclude='*/drivers/infiniband/*.[ch]' --exclude='*/sound/*.[ch]' \
  --exclude='*/drivers/staging/*.[ch]' --exclude='*.dts' --exclude='*.dtsi' --exclude='*/tools/testing/*' --exclude='*/Documentation/*.rst'
cd /build

# Kernels before 6.16 save a processor's registers at the size of AVX-512; one with AMX has 11,008 bytes, and ptrace takes
# all or nothing.
offsets=arch/x86/um/user-offsets.c
if grep -q 'HOST_FP_SIZE, 2696' $offsets; then sed -i 's/HOST_FP_SIZE, 2696/HOST_FP_SIZE, 16384/' $offsets; fi

make -s ARCH=um KCONFIG_ALLCONFIG=/config allnoconfig
# An option that this version knows and does not have is missing; others have become part of something else.
grep '^CONFIG' /config | grep -vxFf .config | sed 's/^CONFIG_\(.*\)=.*/\1/' | while read -r option; do
  if grep -rqE --include='Kconfig*' "^(menu)?config $option\$" .; then echo "$option"; fi
done >/missing
if [ -s /missing ]; then echo "The kernel does not have:" >&2; cat /missing >&2; exit 1; fi

make -s -j "$jobs" ARCH=um linux modules
make -s ARCH=um modules_install INSTALL_MOD_PATH=/out INSTALL_MOD_STRIP=1
strip -o /out/linux linux
