# Runs on each fresh storage host.
# /dev/ubdb (16 GiB) becomes a volume group with a thin pool of 5 GiB and room for thick volumes; /dev/ubdc (12 GiB) is spare.
set -eu
systemctl --quiet enable --now rtslib-fb-targetctl.service
pvcreate -qq -y /dev/ubdb
vgcreate -qq vg0 /dev/ubdb
lvcreate -qq -y --type thin-pool -L 5G -n pool0 vg0
