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

# A processor's registers are saved at the size of AVX-512; one with AMX has 11,008 bytes, and ptrace takes all or nothing.
sed -i 's/DEFINE_LONGS(HOST_FP_SIZE, 2696)/DEFINE_LONGS(HOST_FP_SIZE, 16384)/' arch/x86/um/user-offsets.c
grep -q 'HOST_FP_SIZE, 16384' arch/x86/um/user-offsets.c

make -s ARCH=um KCONFIG_ALLCONFIG=/config allnoconfig
grep '^CONFIG' /config | grep -vxFf .config >/missing || :
if [ -s /missing ]; then echo "The kernel does not have:" >&2; cat /missing >&2; exit 1; fi

make -s -j "$jobs" ARCH=um linux modules
make -s ARCH=um modules_install INSTALL_MOD_PATH=/out INSTALL_MOD_STRIP=1
strip -o /out/linux linux
