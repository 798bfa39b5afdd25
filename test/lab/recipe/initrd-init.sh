#!/bin/busybox sh
# The initial RAM disk's only program: loads the modules for the root disk, mounts it and starts systemd.
b=/bin/busybox
$b mount -t devtmpfs dev /dev
while read -r module; do $b insmod "/modules/$module"; done </modules/order
tries=0
while [ ! -b /dev/vda ] && [ $tries -lt 500 ]; do $b usleep 20000; tries=$((tries + 1)); done
$b mount -t ext4 -o noatime /dev/vda /root || exec $b sh
$b mount -o move /dev /root/dev
exec $b switch_root /root /lib/systemd/systemd
