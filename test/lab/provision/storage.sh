# Runs in the template, after it was frozen as a consumer, before it is frozen as a storage host.
# /dev/vdb (16 GiB) becomes a volume group with a thin pool of 5 GiB and room for thick volumes; /dev/vdc (12 GiB) is spare.
set -eu
systemctl --quiet enable rtslib-fb-targetctl.service
pvcreate -qq -y /dev/vdb
vgcreate -qq vg0 /dev/vdb
lvcreate -qq -y --type thin-pool -L 5G -n pool0 vg0

lvcreate -qq -y -V 64M --thinpool pool0 -n warm vg0
lvcreate -qq -y -s -n warm-snapshot vg0/warm
lvcreate -qq -y -L 64M -n warm-thick vg0
lvcreate -qq -y -s -L 64M -n warm-cow vg0/warm-thick
lvextend -qq -y -L 96M vg0/warm
lvm fullreport --reportformat json >/dev/null
targetcli /backstores/block create name=warm dev=/dev/vg0/warm >/dev/null
targetcli /backstores/block delete warm >/dev/null
lvremove -qq -y vg0/warm-cow vg0/warm-thick vg0/warm-snapshot vg0/warm
sync
